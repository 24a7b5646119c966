// Stands for what the CUDA driver keeps: devices, contexts, streams, events, memory, in host memory.
// A stand-in for tests only.
#pragma once

#include "../common/softgpu.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

typedef int CUresult;
typedef int CUdevice;
typedef unsigned long long CUdeviceptr;
struct CUuuid { char bytes[16]; };
struct CUipcMemHandle { char reserved[64]; };

// Values of cuda.h's CUresult.
enum {
	CUDA_SUCCESS = 0, CUDA_ERROR_INVALID_VALUE = 1, CUDA_ERROR_OUT_OF_MEMORY = 2, CUDA_ERROR_NOT_INITIALIZED = 3,
	CUDA_ERROR_NO_DEVICE = 100, CUDA_ERROR_INVALID_DEVICE = 101, CUDA_ERROR_INVALID_IMAGE = 200,
	CUDA_ERROR_INVALID_CONTEXT = 201, CUDA_ERROR_NO_BINARY_FOR_GPU = 209, CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
	CUDA_ERROR_FILE_NOT_FOUND = 301, CUDA_ERROR_INVALID_HANDLE = 400, CUDA_ERROR_NOT_FOUND = 500,
	CUDA_ERROR_NOT_READY = 600, CUDA_ERROR_LAUNCH_FAILED = 719, CUDA_ERROR_PEER_ACCESS_ALREADY_ENABLED = 704,
	CUDA_ERROR_PEER_ACCESS_NOT_ENABLED = 705, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED = 712,
	CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED = 713, CUDA_ERROR_NOT_SUPPORTED = 801,
	CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED = 900, CUDA_ERROR_STREAM_CAPTURE_UNMATCHED = 903,
	CUDA_ERROR_UNKNOWN = 999,
};

using Work = std::function<void()>;

struct CUstream_st;
struct CUctx_st;

// Graph is what was captured: pieces of work in an order that keeps every dependency, so they run one by one.
struct CUgraph_st { std::vector<Work> nodes; };
struct CUgraphExec_st { std::shared_ptr<std::vector<Work>> nodes; };
typedef CUgraph_st *CUgraph;

// Capture is a capture under way; the streams that wait for its events join it.
struct Capture { CUgraph_st *graph; CUstream_st *origin; std::vector<CUstream_st *> joined; };

// CUstream_st is an in-order queue, carried out by a thread of its own.
struct CUstream_st {
	CUctx_st *context;
	unsigned flags;
	int priority;
	std::shared_ptr<Capture> capture; // of the thread that submits
	std::mutex lock;
	std::condition_variable changed;
	std::deque<Work> queue;
	uint64_t submitted = 0, completed = 0;
	bool ending = false;
	std::thread thread;
	void submit(Work work);         // into the graph while capturing
	void push(Work work);           // into the queue, whatever is captured
	void wait_for(uint64_t number); // until so many have completed
	uint64_t last();
	bool idle();
};
typedef CUstream_st *CUstream;

// Mark is one recording of an event: when the stream reached it.
struct Mark {
	std::mutex lock;
	std::condition_variable changed;
	bool done = false;
	double seconds = 0;
};
struct CUevent_st {
	unsigned flags;
	std::mutex lock;
	std::shared_ptr<Mark> mark;
	std::shared_ptr<Capture> capture; // it was recorded in
};
typedef CUevent_st *CUevent;

struct CUctx_st {
	CUdevice device;
	bool primary;
	int references = 0;
	unsigned flags = 0;
	CUstream legacy = nullptr; // the NULL stream
	std::mutex lock;
	std::vector<CUstream> streams;
};
typedef CUctx_st *CUcontext;

namespace softgpu {

struct Device { CUctx_st primary; size_t total, used; std::mutex lock; int physical; };

// Allocation is a piece of memory that the driver knows. Device memory is an anonymous file, so that another process
// can map it; when the processes are gone so is the file.
struct Allocation {
	enum Kind { device, host, registered, managed, imported } kind;
	char *base;
	size_t size;
	int owner; // the device
	int file;  // or -1
};

int device_count();
Device &device(int number);
int capability();   // of all devices: 90 for 9.0
int driver();       // version, 12080 for 12.8
bool initialized();
CUresult check();   // initialized, and a context is current
CUcontext current();

// stream is the stream that a handle names in the current context, the NULL stream for 0, 1 and 2; nullptr if none.
CUstream stream(CUstream handle);
CUstream open_stream(CUcontext context, unsigned flags, int priority);
void close_stream(CUstream s);

// find is the allocation that holds an address; nullptr if the driver knows none.
std::shared_ptr<Allocation> find(const void *address);
CUresult allocate(Allocation::Kind kind, size_t size, void **address);
CUresult release(const void *address, bool of_host);
double now(); // seconds, monotonic

} // namespace softgpu
