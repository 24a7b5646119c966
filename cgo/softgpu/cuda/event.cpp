// Stands for libcuda's events; times are taken when the stream's thread comes by. A stand-in for tests only.
#include "driver.h"

using namespace softgpu;

static const unsigned disable_timing = 2, external = 1;
static const CUresult capture_isolation = 905, captured_event = 907;

static void reach(const std::shared_ptr<Mark> &mark) {
	std::lock_guard<std::mutex> hold(mark->lock);
	mark->seconds = now();
	mark->done = true;
	mark->changed.notify_all();
}

static void await(const std::shared_ptr<Mark> &mark) {
	std::unique_lock<std::mutex> hold(mark->lock);
	mark->changed.wait(hold, [&] { return mark->done; });
}

SOFTGPU_API CUresult cuEventCreate(CUevent *event, unsigned flags) {
	if (auto rc = check())
		return rc;
	auto made = new CUevent_st;
	made->flags = flags;
	*event = made;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuEventDestroy_v2(CUevent event) {
	if (!event)
		return CUDA_ERROR_INVALID_HANDLE;
	delete event; // a recording under way keeps its mark
	return CUDA_SUCCESS;
}

static CUresult record(CUevent event, CUstream s, unsigned flags) {
	if (auto rc = check())
		return rc;
	if (!event || !(s = stream(s)))
		return CUDA_ERROR_INVALID_HANDLE;
	std::lock_guard<std::mutex> hold(event->lock);
	if (s->capture && !(flags & external)) {
		event->capture = s->capture;
		return CUDA_SUCCESS;
	}
	if (s->capture) { // the graph records it anew each time
		s->submit([event] {
			auto mark = std::make_shared<Mark>();
			reach(mark);
			std::lock_guard<std::mutex> hold(event->lock);
			event->mark = mark;
		});
		return CUDA_SUCCESS;
	}
	auto mark = event->mark = std::make_shared<Mark>();
	event->capture = nullptr;
	s->submit([mark] { reach(mark); });
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuEventRecord(CUevent event, CUstream s) { return record(event, s, 0); }

SOFTGPU_API CUresult cuEventRecordWithFlags(CUevent event, CUstream s, unsigned flags) { return record(event, s, flags); }

static CUresult marked(CUevent event, std::shared_ptr<Mark> *mark) {
	if (auto rc = check())
		return rc;
	if (!event)
		return CUDA_ERROR_INVALID_HANDLE;
	std::lock_guard<std::mutex> hold(event->lock);
	if (event->capture)
		return captured_event;
	*mark = event->mark;
	return CUDA_SUCCESS;
}

// An event that was never recorded counts as reached, as with the driver.
SOFTGPU_API CUresult cuEventQuery(CUevent event) {
	std::shared_ptr<Mark> mark;
	if (auto rc = marked(event, &mark))
		return rc;
	if (!mark)
		return CUDA_SUCCESS;
	std::lock_guard<std::mutex> hold(mark->lock);
	return mark->done ? CUDA_SUCCESS : CUDA_ERROR_NOT_READY;
}

SOFTGPU_API CUresult cuEventSynchronize(CUevent event) {
	std::shared_ptr<Mark> mark;
	if (auto rc = marked(event, &mark))
		return rc;
	if (mark)
		await(mark);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuEventElapsedTime(float *milliseconds, CUevent from, CUevent to) {
	std::shared_ptr<Mark> a, b;
	if (auto rc = marked(from, &a))
		return rc;
	if (auto rc = marked(to, &b))
		return rc;
	if (!a || !b || ((from->flags | to->flags) & disable_timing))
		return CUDA_ERROR_INVALID_HANDLE;
	if (cuEventQuery(from) || cuEventQuery(to))
		return CUDA_ERROR_NOT_READY;
	*milliseconds = float((b->seconds - a->seconds) * 1e3);
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuEventElapsedTime_v2(float *milliseconds, CUevent from, CUevent to) {
	return cuEventElapsedTime(milliseconds, from, to);
}

SOFTGPU_API CUresult cuStreamWaitEvent(CUstream s, CUevent event, unsigned) {
	if (auto rc = check())
		return rc;
	if (!event || !(s = stream(s)))
		return CUDA_ERROR_INVALID_HANDLE;
	std::lock_guard<std::mutex> hold(event->lock);
	if (event->capture) {
		if (s->capture && s->capture != event->capture)
			return capture_isolation;
		if (!s->capture && event->capture->graph) {
			s->capture = event->capture; // it joins
			s->capture->joined.push_back(s);
		}
		return CUDA_SUCCESS;
	}
	if (s->capture)
		return event->mark ? capture_isolation : CUDA_SUCCESS;
	if (auto mark = event->mark)
		s->submit([mark] { await(mark); });
	return CUDA_SUCCESS;
}
