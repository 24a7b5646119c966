// The stand-in libcuda by itself: order of streams, events and their times, modules and kernels, pinned and
// stream-ordered memory, graphs over two streams, and device memory in another process. Prints "ok".
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef unsigned long long address;
typedef struct { char bytes[64]; } ipc;

#define WANT(condition) do { if (!(condition)) { printf("line %d: not %s\n", __LINE__, #condition); exit(1); } } while (0)
static void *library;
// F calls a function by its name, with the parameters' types given.
#define F(name, types) ((int (*) types)find(#name))
static void *find(const char *name) {
	void *f = dlsym(library, name);
	if (!f)
		printf("no %s\n", name), exit(1);
	return f;
}

static void *context, *s1, *s2;
static address room(size_t size) {
	address a;
	WANT(F(cuMemAlloc_v2, (address *, size_t))(&a, size) == 0);
	return a;
}
static int wait_stream(void *s) { return F(cuStreamSynchronize, (void *))(s); }

static void later(void *argument) {
	usleep(20000);
	*(volatile int *)argument += 1;
}

// Work in a stream waits for what is before it, of another stream only through an event; the NULL stream for all.
static void streams(void) {
	volatile int count = 0;
	void *e;
	address a = room(4096);
	WANT(F(cuEventCreate, (void **, unsigned))(&e, 0) == 0);
	WANT(F(cuLaunchHostFunc, (void *, void (*)(void *), void *))(s1, later, (void *)&count) == 0);
	WANT(F(cuStreamQuery, (void *))(s1) == 600 && F(cuStreamQuery, (void *))(s2) == 0);
	WANT(F(cuEventRecord, (void *, void *))(e, s1) == 0 && F(cuEventQuery, (void *))(e) == 600);
	WANT(F(cuStreamWaitEvent, (void *, void *, unsigned))(s2, e, 0) == 0);
	WANT(F(cuMemcpyAsync, (address, address, size_t, void *))(a, (uintptr_t)&count, 4, s2) == 0);
	WANT(wait_stream(s2) == 0 && *(int *)(uintptr_t)a == 1);
	WANT(F(cuLaunchHostFunc, (void *, void (*)(void *), void *))(s1, later, (void *)&count) == 0);
	int got = 0;
	WANT(F(cuMemcpyHtoD_v2, (address, const void *, size_t))(a, (void *)&count, 4) == 0); // through the NULL stream
	WANT(F(cuMemcpyDtoH_v2, (void *, address, size_t))(&got, a, 4) == 0 && got == 2);
	WANT(F(cuMemcpyDtoH_v2, (void *, address, size_t))(&got, a + 4094, 4) == 1); // past the end
}

static void events(void) {
	void *a, *b;
	volatile int count = 0;
	float ms = -1;
	F(cuEventCreate, (void **, unsigned))(&a, 0), F(cuEventCreate, (void **, unsigned))(&b, 0);
	WANT(F(cuEventElapsedTime, (float *, void *, void *))(&ms, a, b) == 400); // not recorded
	F(cuEventRecord, (void *, void *))(a, s1);
	F(cuLaunchHostFunc, (void *, void (*)(void *), void *))(s1, later, (void *)&count);
	F(cuEventRecord, (void *, void *))(b, s1);
	WANT(F(cuEventElapsedTime, (float *, void *, void *))(&ms, a, b) == 600); // not ready
	WANT(F(cuEventSynchronize, (void *))(b) == 0);
	WANT(F(cuEventElapsedTime, (float *, void *, void *))(&ms, a, b) == 0 && ms >= 19 && ms < 500);
}

static const char ptx[] = "//\n.version 8.0\n.target sm_70\n.address_size 64\n.visible .entry cb_copy(\n)\n{\n}\n.visible .entry nobodys()\n{ }\n";

static void kernels(void) {
	void *module, *copy, *other;
	struct { address to, from, bytes; } p = {room(100), room(100), 100};
	void *parameters[] = {&p};
	WANT(F(cuModuleLoadData, (void **, const void *))(&module, ptx) == 0);
	WANT(F(cuModuleLoadData, (void **, const void *))(&other, "nonsense") == 200);
	WANT(F(cuModuleLoadData, (void **, const void *))(&other, "//\n.version 99.0\n.target sm_70\n.visible .entry x(") == 222);
	WANT(F(cuModuleLoadData, (void **, const void *))(&other, "//\n.version 8.0\n.target sm_120\n.visible .entry x(") == 209);
	WANT(F(cuModuleGetFunction, (void **, void *, const char *))(&other, module, "cb_fill") == 500);
	WANT(F(cuModuleGetFunction, (void **, void *, const char *))(&copy, module, "cb_copy") == 0);
	memset((void *)(uintptr_t)p.from, 7, 100);
	typedef int launch(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
	launch *run = (launch *)find("cuLaunchKernel");
	WANT(run(copy, 2, 1, 1, 32, 1, 1, 0, s1, parameters, NULL) == 0);
	p.bytes = 0; // taken when it was launched
	WANT(wait_stream(s1) == 0 && ((char *)(uintptr_t)p.to)[99] == 7);
	WANT(F(cuModuleGetFunction, (void **, void *, const char *))(&other, module, "nobodys") == 0);
	WANT(run(other, 1, 1, 1, 1, 1, 1, 0, s1, parameters, NULL) == 801);
}

static void memory(void) {
	size_t before, after, total;
	void *pinned, *mine = malloc(8192);
	address a, seen;
	WANT(F(cuMemGetInfo_v2, (size_t *, size_t *))(&before, &total) == 0);
	WANT(F(cuMemAllocAsync, (address *, size_t, void *))(&a, 1 << 20, s1) == 0);
	WANT(F(cuMemGetInfo_v2, (size_t *, size_t *))(&after, &total) == 0 && before - after == 1 << 20);
	WANT(F(cuMemFreeAsync, (address, void *))(a, s1) == 0 && wait_stream(s1) == 0);
	WANT(F(cuMemGetInfo_v2, (size_t *, size_t *))(&after, &total) == 0 && before == after);
	WANT(F(cuMemAlloc_v2, (address *, size_t))(&a, total + 1) == 2);
	WANT(F(cuMemHostAlloc, (void **, size_t, unsigned))(&pinned, 4096, 0) == 0);
	WANT(F(cuMemHostGetDevicePointer_v2, (address *, void *, unsigned))(&seen, pinned, 0) == 0 && seen == (uintptr_t)pinned);
	WANT(F(cuMemFreeHost, (void *))(pinned) == 0 && F(cuMemFreeHost, (void *))(pinned) == 1);
	WANT(F(cuMemHostRegister_v2, (void *, size_t, unsigned))(mine, 8192, 0) == 0);
	WANT(F(cuMemHostRegister_v2, (void *, size_t, unsigned))(mine, 8192, 0) == 712);
	WANT(F(cuMemHostUnregister, (void *))(mine) == 0 && F(cuMemHostUnregister, (void *))(mine) == 713);
	WANT(F(cuMemCreate, (void))() == 801 && F(cuMulticastCreate, (void))() == 801);
}

// A fork into a second stream and back, captured; launched twice.
static void graphs(void) {
	void *fork_, *back, *graph, *executable;
	int status;
	address a = room(64);
	F(cuEventCreate, (void **, unsigned))(&fork_, 2), F(cuEventCreate, (void **, unsigned))(&back, 2);
	volatile int count = 0;
	WANT(F(cuStreamBeginCapture_v2, (void *, int))(s1, 0) == 0);
	WANT(F(cuLaunchHostFunc, (void *, void (*)(void *), void *))(s1, later, (void *)&count) == 0);
	F(cuEventRecord, (void *, void *))(fork_, s1), F(cuStreamWaitEvent, (void *, void *, unsigned))(s2, fork_, 0);
	WANT(F(cuStreamIsCapturing, (void *, int *))(s2, &status) == 0 && status == 1);
	WANT(F(cuMemcpyAsync, (address, address, size_t, void *))(a, (uintptr_t)&count, 4, s2) == 0);
	F(cuEventRecord, (void *, void *))(back, s2), F(cuStreamWaitEvent, (void *, void *, unsigned))(s1, back, 0);
	WANT(wait_stream(s1) == 900);
	WANT(F(cuStreamEndCapture, (void *, void **))(s1, &graph) == 0 && count == 0);
	WANT(F(cuStreamIsCapturing, (void *, int *))(s2, &status) == 0 && status == 0);
	WANT(F(cuGraphInstantiateWithFlags, (void **, void *, unsigned long long))(&executable, graph, 0) == 0);
	WANT(F(cuGraphDestroy, (void *))(graph) == 0);
	WANT(F(cuGraphLaunch, (void *, void *))(executable, s1) == 0 && F(cuGraphLaunch, (void *, void *))(executable, s1) == 0);
	WANT(wait_stream(s1) == 0 && *(int *)(uintptr_t)a == 2);
}

static int open_device(void) {
	library = dlopen("libcuda.so.1", RTLD_NOW);
	if (!library)
		printf("%s\n", dlerror()), exit(3);
	WANT(F(cuDeviceGet, (int *, int))(&(int){0}, 0) == 3); // not initialized
	WANT(F(cuInit, (unsigned))(0) == 0);
	WANT(F(cuDevicePrimaryCtxRetain, (void **, int))(&context, 1) == 0);
	WANT(F(cuStreamCreate, (void **, unsigned))(&s1, 0) == 201); // no context
	WANT(F(cuCtxSetCurrent, (void *))(context) == 0);
	WANT(F(cuStreamCreate, (void **, unsigned))(&s1, 0) == 0 && F(cuStreamCreate, (void **, unsigned))(&s2, 0) == 0);
	return 0;
}

// The child writes into the parent's memory.
static void between_processes(void) {
	int to[2], from[2], status;
	ipc handle;
	char byte;
	if (pipe(to) || pipe(from))
		exit(1);
	if (fork() == 0) {
		address a;
		open_device();
		if (read(to[0], &handle, sizeof handle) != sizeof handle)
			exit(1);
		WANT(F(cuIpcOpenMemHandle_v2, (address *, ipc, unsigned))(&a, handle, 1) == 0);
		WANT(*(char *)(uintptr_t)a == 5);
		WANT(F(cuMemsetD8_v2, (address, unsigned char, size_t))(a, 6, 100) == 0);
		WANT(F(cuIpcCloseMemHandle, (address))(a) == 0);
		exit(write(from[1], "x", 1) != 1);
	}
	open_device();
	address a = room(100);
	memset((void *)(uintptr_t)a, 5, 100);
	WANT(F(cuIpcGetMemHandle, (ipc *, address))(&handle, a) == 0);
	WANT(write(to[1], &handle, sizeof handle) == sizeof handle && read(from[0], &byte, 1) == 1);
	WANT(((char *)(uintptr_t)a)[99] == 6);
	WANT(wait(&status) > 0 && status == 0);
}

int main(void) {
	char name[64];
	setvbuf(stdout, NULL, _IOLBF, 0);
	between_processes();
	WANT(F(cuDeviceGetName, (char *, int, int))(name, 64, 1) == 0 && strstr(name, "stand-in"));
	void *address_of = NULL;
	WANT(F(cuGetProcAddress_v2, (const char *, void **, int, unsigned long long, int *))("cuMemAlloc", &address_of, 12000, 0, NULL) == 0);
	WANT(address_of == dlsym(library, "cuMemAlloc_v2"));
	WANT(F(cuGetProcAddress_v2, (const char *, void **, int, unsigned long long, int *))("cuNothing", &address_of, 12000, 0, NULL) == 500);
	streams(), events(), kernels(), memory(), graphs();
	printf("ok\n");
	return 0;
}
