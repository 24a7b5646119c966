// Settings and faults of the stand-in libraries. For tests only.
#include "softgpu.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <strings.h>
#include <unistd.h>

namespace softgpu {

const char *env(const char *name) {
	const char *text = getenv(name);
	return text && *text ? text : nullptr;
}

long env_number(const char *name, long otherwise) {
	const char *text = env(name);
	char *end = nullptr;
	long n = text ? strtol(text, &end, 10) : 0;
	return text && *end == 0 ? n : otherwise;
}

bool env_is(const char *name, const char *value) {
	const char *text = env(name);
	return text && strcasecmp(text, value) == 0;
}

int version(const char *text, int otherwise) {
	int major, minor, patch = 0;
	if (!text || sscanf(text, "%d.%d.%d", &major, &minor, &patch) < 2)
		return otherwise;
	return major * 10000 + minor * 100 + patch;
}

std::string host_name() {
	char name[256] = "", network[64] = "";
	gethostname(name, sizeof name - 1);
	if (readlink("/proc/self/ns/net", network, sizeof network - 1) < 0)
		*network = 0;
	return std::string(name) + " " + network;
}

void device_uuid(int number, unsigned char bytes[16]) {
	uint32_t hash = 2166136261u; // FNV-1a
	for (unsigned char c : host_name())
		hash = (hash ^ c) * 16777619u;
	memset(bytes, 0, 16);
	memcpy(bytes, "softgpu", 7);
	memcpy(bytes + 8, &hash, sizeof hash);
	bytes[15] = static_cast<unsigned char>(number);
}

const char *Fault::text(const char *key) const {
	for (auto &[k, v] : settings)
		if (k == key)
			return v.c_str();
	return nullptr;
}

long Fault::number(const char *key, long otherwise) const {
	const char *value = text(key);
	return value ? strtol(value, nullptr, 10) : otherwise;
}

// A number selects itself, "3+" whatever is 3 or more.
static bool selects(const std::string &wanted, long have) {
	char *end = nullptr;
	long n = strtol(wanted.c_str(), &end, 10);
	return *end == '+' ? have >= n : have == n;
}

bool Fault::strikes(const Place &at) const {
	for (auto &[key, value] : settings) {
		bool here = true; // other keys are the fault's own settings, such as ms
		if (key == "rank")
			here = selects(value, at.rank);
		else if (key == "device")
			here = selects(value, at.device);
		else if (key == "iteration")
			here = selects(value, at.iteration);
		else if (key == "bytes")
			here = selects(value, long(at.bytes));
		else if (key == "op")
			here = at.operation && strcasecmp(value.c_str(), at.operation) == 0;
		else if (key == "asked")
			here = env("NCCL_ALGO") && strcasestr(env("NCCL_ALGO"), value.c_str());
		if (!here)
			return false;
	}
	return true;
}

static std::vector<std::string> split(const std::string &text, char at) {
	std::vector<std::string> parts;
	for (size_t from = 0; from <= text.size();) {
		size_t to = text.find(at, from);
		if (to == std::string::npos)
			to = text.size();
		if (to > from)
			parts.push_back(text.substr(from, to - from));
		from = to + 1;
	}
	return parts;
}

static const char *const kinds[] = {"wrong", "hang", "hang-init", "async", "slow", "algorithm", "null-window",
	"out-of-memory", "driver", "version", "traffic"};

// An unknown fault would pass a test that it was meant to fail, so it ends the process.
static std::vector<Fault> parse(const char *text) {
	std::vector<Fault> faults;
	for (auto &entry : split(text ? text : "", ';')) {
		Fault f;
		size_t colon = entry.find(':');
		f.kind = entry.substr(0, colon);
		bool known = false;
		for (auto kind : kinds)
			known = known || f.kind == kind;
		if (colon != std::string::npos)
			for (auto &setting : split(entry.substr(colon + 1), ',')) {
				size_t equals = setting.find('=');
				known = known && equals != std::string::npos;
				if (equals != std::string::npos)
					f.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
			}
		if (!known) {
			fprintf(stderr, "softgpu (stand-in): SOFTGPU_FAULT has no fault %s\n", entry.c_str());
			_exit(2);
		}
		faults.push_back(f);
	}
	return faults;
}

const Fault *fault(const char *kind, const Place &at) {
	static const std::vector<Fault> all = parse(env("SOFTGPU_FAULT"));
	for (auto &f : all)
		if (f.kind == kind && f.strikes(at))
			return &f;
	return nullptr;
}

} // namespace softgpu
