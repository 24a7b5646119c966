// Stands for libcuda's modules. An image is only read for its architecture and the names of its kernels; what runs is
// the host build of the same source. A stand-in for tests only.
#include "driver.h"

#include "../../../kernels/host.h"

#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>
#include <set>

using namespace softgpu;

struct CUmod_st;
struct CUfunc_st { CUmod_st *module; std::string name; const cb_host_kernel *kernel; };
struct CUmod_st { std::set<std::string> names; std::map<std::string, CUfunc_st *> functions; };
typedef CUmod_st *CUmodule;
typedef CUfunc_st *CUfunction;

// A cubin is an ELF file with a section .text.NAME per kernel; its flags hold the architecture, in the lowest byte up
// to ABI 7 and in the next from ABI 8 on. It runs on devices of its major version that are not older.
static CUresult read_cubin(const char *image, std::set<std::string> *names) {
	Elf64_Ehdr head;
	memcpy(&head, image, sizeof head);
	const int cuda = 190;
	if (head.e_machine != cuda || head.e_shentsize != sizeof(Elf64_Shdr))
		return CUDA_ERROR_INVALID_IMAGE;
	unsigned abi = head.e_ident[EI_ABIVERSION];
	int arch = int(abi >= 8 ? head.e_flags >> 8 & 0xff : head.e_flags & 0xff);
	int least = abi < 8 ? 0 : arch >= 100 ? 12080 : 13000; // the driver that knows the ABI; for Blackwell it was the first
	if (arch / 10 != capability() / 10 || arch > capability() || driver() < least)
		return CUDA_ERROR_NO_BINARY_FOR_GPU;
	auto sections = image + head.e_shoff;
	Elf64_Shdr strings;
	memcpy(&strings, sections + size_t(head.e_shstrndx) * sizeof strings, sizeof strings);
	for (int i = 0; i < head.e_shnum; i++) {
		Elf64_Shdr section;
		memcpy(&section, sections + size_t(i) * sizeof section, sizeof section);
		const char *name = image + strings.sh_offset + section.sh_name;
		if (strncmp(name, ".text.", 6) == 0)
			names->insert(name + 6);
	}
	return CUDA_SUCCESS;
}

static int number_after(const std::string &text, const char *what, int scale) {
	size_t at = text.find(what);
	if (at == std::string::npos)
		return 0;
	at += strlen(what);
	return int(strtod(text.c_str() + at, nullptr) * scale + 0.5);
}

// PTX is text: a version that the driver must know, a target that the device must reach, ".entry NAME(".
static CUresult read_ptx(const std::string &text, std::set<std::string> *names) {
	static const struct { int driver, ptx; } knows[] = {
		{13000, 90}, {12090, 88}, {12080, 87}, {12060, 85}, {12040, 84}, {12030, 83}, {12020, 82}, {12010, 81}, {12000, 80}, {11080, 78}, {11040, 74}};
	int highest = 70;
	for (auto &k : knows)
		if (driver() >= k.driver) {
			highest = k.ptx;
			break;
		}
	if (number_after(text, ".version ", 10) > highest)
		return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
	if (number_after(text, ".target sm_", 1) > capability())
		return CUDA_ERROR_NO_BINARY_FOR_GPU;
	for (size_t at = 0; (at = text.find(".entry ", at)) != std::string::npos;) {
		at += strlen(".entry ");
		names->insert(text.substr(at, text.find_first_of("( \n\r\t", at) - at));
	}
	return names->empty() ? CUDA_ERROR_INVALID_IMAGE : CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuModuleLoadData(CUmodule *module, const void *image) {
	if (auto rc = check())
		return rc;
	if (!image)
		return CUDA_ERROR_INVALID_VALUE;
	auto bytes = static_cast<const char *>(image);
	auto made = new CUmod_st;
	CUresult rc = CUDA_ERROR_INVALID_IMAGE;
	if (memcmp(bytes, ELFMAG, SELFMAG) == 0)
		rc = read_cubin(bytes, &made->names);
	else if (bytes[0] == '/' || bytes[0] == '.' || bytes[0] == '\n')
		rc = read_ptx(bytes, &made->names);
	if (rc) {
		delete made;
		return rc;
	}
	*module = made;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuModuleLoadDataEx(CUmodule *module, const void *image, unsigned, int *, void **) {
	return cuModuleLoadData(module, image);
}

SOFTGPU_API CUresult cuModuleLoad(CUmodule *module, const char *path) {
	std::ifstream file(path, std::ios::binary);
	if (!file)
		return CUDA_ERROR_FILE_NOT_FOUND;
	std::string bytes{std::istreambuf_iterator<char>(file), {}};
	return bytes.empty() ? CUDA_ERROR_INVALID_IMAGE : cuModuleLoadData(module, bytes.c_str());
}

SOFTGPU_API CUresult cuModuleUnload(CUmodule module) {
	if (!module)
		return CUDA_ERROR_INVALID_HANDLE;
	for (auto &[name, function] : module->functions)
		delete function;
	delete module;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuModuleGetFunction(CUfunction *function, CUmodule module, const char *name) {
	if (auto rc = check())
		return rc;
	if (!module || !name)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!module->names.count(name))
		return CUDA_ERROR_NOT_FOUND;
	CUfunc_st *&f = module->functions[name];
	if (!f) {
		f = new CUfunc_st{module, name, nullptr};
		for (unsigned i = 0; i < cb_host_kernels_count; i++)
			if (f->name == cb_host_kernels[i].name)
				f->kernel = &cb_host_kernels[i];
	}
	*function = f;
	return CUDA_SUCCESS;
}

// A global of a module would be memory of a device: the kernels of collbench have none.
SOFTGPU_API CUresult cuModuleGetGlobal_v2(CUdeviceptr *, size_t *, CUmodule, const char *) { return CUDA_ERROR_NOT_FOUND; }

SOFTGPU_API CUresult cuFuncGetAttribute(int *value, int attribute, CUfunction) {
	*value = attribute == 0 ? 1024 : attribute == 5 || attribute == 6 ? capability() : 0; // threads, PTX, binary version
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuFuncSetAttribute(CUfunction, int, int) { return check(); }
SOFTGPU_API CUresult cuFuncSetCacheConfig(CUfunction, int) { return check(); }

SOFTGPU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, CUfunction, int threads, size_t) {
	*blocks = threads > 0 ? 2048 / threads : 0;
	return threads > 0 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

SOFTGPU_API CUresult cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(int *blocks, CUfunction f, int threads, size_t shared, unsigned) {
	return cuOccupancyMaxActiveBlocksPerMultiprocessor(blocks, f, threads, shared);
}

SOFTGPU_API CUresult cuLaunchKernel(CUfunction f, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x,
	unsigned block_y, unsigned block_z, unsigned, CUstream s, void **parameters, void **extra) {
	if (auto rc = check())
		return rc;
	if (!f)
		return CUDA_ERROR_INVALID_HANDLE;
	if (!grid_x || !block_x || block_x > 1024)
		return CUDA_ERROR_INVALID_VALUE;
	if (!f->kernel || grid_y != 1 || grid_z != 1 || block_y != 1 || block_z != 1)
		return CUDA_ERROR_NOT_SUPPORTED;
	const void *from = parameters ? parameters[0] : nullptr;
	for (auto e = extra; !from && e && *e; e += 2)
		if (uintptr_t(*e) == 1) // CU_LAUNCH_PARAM_BUFFER_POINTER
			from = e[1];
	if (!from)
		return CUDA_ERROR_INVALID_VALUE;
	auto bytes = static_cast<const char *>(from); // taken now: the caller may change them when the launch returns
	std::vector<char> taken(bytes, bytes + f->kernel->params_size);
	stream(s)->submit([kernel = f->kernel, taken, grid_x, block_x] { kernel->run(taken.data(), grid_x, block_x); });
	return CUDA_SUCCESS;
}

// The attributes of a launch (clusters, cooperation) ask for hardware: only a launch without them is carried out.
struct CUlaunchConfig {
	unsigned grid[3], block[3], shared;
	CUstream stream;
	void *attributes;
	unsigned attribute_count;
};
SOFTGPU_API CUresult cuLaunchKernelEx(const CUlaunchConfig *c, CUfunction f, void **parameters, void **extra) {
	if (c->attribute_count)
		return CUDA_ERROR_NOT_SUPPORTED;
	return cuLaunchKernel(f, c->grid[0], c->grid[1], c->grid[2], c->block[0], c->block[1], c->block[2], c->shared, c->stream, parameters, extra);
}
