// Stands for libcuda's streams: queues in order, each carried out by a thread. A stand-in for tests only.
#include "driver.h"

#include <algorithm>
#include <ctime>

using namespace softgpu;

namespace softgpu {

double now() {
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return double(t.tv_sec) + double(t.tv_nsec) * 1e-9;
}

static void carry_out(CUstream s) {
	std::unique_lock<std::mutex> hold(s->lock);
	for (;;) {
		s->changed.wait(hold, [s] { return !s->queue.empty() || s->ending; });
		if (s->queue.empty())
			return;
		Work work = std::move(s->queue.front());
		s->queue.pop_front();
		hold.unlock();
		work();
		work = nullptr;
		hold.lock();
		s->completed++;
		s->changed.notify_all();
	}
}

CUstream open_stream(CUcontext context, unsigned flags, int priority) {
	auto s = new CUstream_st;
	s->context = context;
	s->flags = flags;
	s->priority = priority;
	s->thread = std::thread(carry_out, s);
	std::lock_guard<std::mutex> hold(context->lock);
	context->streams.push_back(s);
	return s;
}

// What is queued is still carried out, as by the driver; the thread then ends by itself.
void close_stream(CUstream s) {
	{
		std::lock_guard<std::mutex> hold(s->context->lock);
		auto &all = s->context->streams;
		all.erase(std::find(all.begin(), all.end(), s));
	}
	{
		std::lock_guard<std::mutex> hold(s->lock);
		s->ending = true;
		s->changed.notify_all();
	}
	std::thread([s] {
		s->thread.join();
		delete s;
	}).detach();
}

CUstream stream(CUstream handle) {
	CUcontext context = current();
	if (uintptr_t(handle) > 2)
		return handle;
	if (!context)
		return nullptr;
	{
		std::lock_guard<std::mutex> hold(context->lock);
		if (context->legacy)
			return context->legacy;
	}
	CUstream made = open_stream(context, 0, 0);
	std::lock_guard<std::mutex> hold(context->lock);
	if (!context->legacy)
		context->legacy = made; // a second maker's stays among the streams, idle
	return context->legacy;
}

} // namespace softgpu

void CUstream_st::push(Work work) {
	std::lock_guard<std::mutex> hold(lock);
	queue.push_back(std::move(work));
	submitted++;
	changed.notify_all();
}

uint64_t CUstream_st::last() {
	std::lock_guard<std::mutex> hold(lock);
	return submitted;
}

bool CUstream_st::idle() {
	std::lock_guard<std::mutex> hold(lock);
	return completed == submitted;
}

void CUstream_st::wait_for(uint64_t number) {
	std::unique_lock<std::mutex> hold(lock);
	changed.wait(hold, [&] { return completed >= number; });
}

static const unsigned non_blocking = 1;

// The NULL stream waits for every blocking stream of its context, and they for it.
void CUstream_st::submit(Work work) {
	if (capture) {
		capture->graph->nodes.push_back(std::move(work));
		return;
	}
	std::vector<CUstream> before;
	{
		std::lock_guard<std::mutex> hold(context->lock);
		if (this == context->legacy) {
			for (auto other : context->streams)
				if (other != this && !(other->flags & non_blocking))
					before.push_back(other);
		} else if (context->legacy && !(flags & non_blocking)) {
			before.push_back(context->legacy);
		}
	}
	for (auto other : before)
		if (!other->idle())
			push([other, number = other->last()] { other->wait_for(number); });
	push(std::move(work));
}

static CUresult usable(CUstream *s) {
	if (auto rc = check())
		return rc;
	*s = stream(*s);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamCreateWithPriority(CUstream *s, unsigned flags, int priority) {
	if (auto rc = check())
		return rc;
	*s = open_stream(current(), flags, priority);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamCreate(CUstream *s, unsigned flags) { return cuStreamCreateWithPriority(s, flags, 0); }

SOFTGPU_API CUresult cuStreamDestroy_v2(CUstream s) {
	if (uintptr_t(s) <= 2)
		return CUDA_ERROR_INVALID_HANDLE;
	close_stream(s);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamGetFlags(CUstream s, unsigned *flags) {
	if (auto rc = usable(&s))
		return rc;
	*flags = s->flags;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamGetPriority(CUstream s, int *priority) {
	if (auto rc = usable(&s))
		return rc;
	*priority = s->priority;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamGetCtx(CUstream s, CUcontext *context) {
	if (auto rc = usable(&s))
		return rc;
	*context = s->context;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamSynchronize(CUstream s) {
	if (auto rc = usable(&s))
		return rc;
	if (s->capture)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	if (s == s->context->legacy) // through it, for every blocking stream
		s->submit([] {});
	s->wait_for(s->last());
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamQuery(CUstream s) {
	if (auto rc = usable(&s))
		return rc;
	if (s->capture)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED;
	return s->idle() ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

SOFTGPU_API CUresult cuCtxSynchronize() {
	if (auto rc = check())
		return rc;
	std::vector<CUstream> all;
	{
		std::lock_guard<std::mutex> hold(current()->lock);
		all = current()->streams;
	}
	for (auto s : all)
		s->wait_for(s->last());
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuLaunchHostFunc(CUstream s, void (*function)(void *), void *argument) {
	if (auto rc = usable(&s))
		return rc;
	s->submit([=] { function(argument); });
	return CUDA_SUCCESS;
}

// For the other stand-ins: work of theirs in a stream or, while it's captured, in its graph. The argument is dropped
// when the last stream or graph lets go of it.
SOFTGPU_API CUresult softgpu_enqueue(CUstream s, void (*run)(void *), void *argument, void (*drop)(void *)) {
	if (auto rc = usable(&s))
		return rc;
	std::shared_ptr<void> owned(argument, drop);
	s->submit([=] { run(owned.get()); });
	return CUDA_SUCCESS;
}

SOFTGPU_API int softgpu_capturing(CUstream s) { return usable(&s) == CUDA_SUCCESS && s->capture != nullptr; }

// The current device, by its number among all of the machine's.
SOFTGPU_API int softgpu_device() { return check() == CUDA_SUCCESS ? device(current()->device).physical : -1; }
