#define _GNU_SOURCE
#include "loop.h"

#include <sched.h>
#include <time.h>

// all_pairs sends a part to each rank and receives one from each, as nccl-tests do where the library has no call for it.
static ncclResult_t all_pairs(const cb_call *c) {
	ncclResult_t r = cb_nccl.ncclGroupStart();
	for (int p = 0; r == ncclSuccess && p < c->ranks; p++) {
		r = cb_nccl.ncclSend(c->send + p * c->stride, c->count, c->type, p, c->comm, c->stream);
		if (r == ncclSuccess)
			r = cb_nccl.ncclRecv(c->recv + p * c->stride, c->count, c->type, p, c->comm, c->stream);
	}
	ncclResult_t end = cb_nccl.ncclGroupEnd(); // also after an error, which leaves the group open
	return r != ncclSuccess ? r : end;
}

// rooted is a gather (all send to the root) or a scatter (the root sends to all) by sends and receives.
static ncclResult_t rooted(const cb_call *c) {
	int root = c->rank == c->root, gather = c->kind == CB_GATHER;
	ncclResult_t r = cb_nccl.ncclGroupStart();
	for (int p = 0; r == ncclSuccess && root && p < c->ranks; p++)
		r = gather ? cb_nccl.ncclRecv(c->recv + p * c->stride, c->count, c->type, p, c->comm, c->stream)
				   : cb_nccl.ncclSend(c->send + p * c->stride, c->count, c->type, p, c->comm, c->stream);
	if (r == ncclSuccess)
		r = gather ? cb_nccl.ncclSend(c->send, c->count, c->type, c->root, c->comm, c->stream)
				   : cb_nccl.ncclRecv(c->recv, c->count, c->type, c->root, c->comm, c->stream);
	ncclResult_t end = cb_nccl.ncclGroupEnd();
	return r != ncclSuccess ? r : end;
}

static ncclResult_t send_recv(const cb_call *c) {
	ncclResult_t r = cb_nccl.ncclGroupStart();
	for (int i = 0; r == ncclSuccess && i < c->times; i++) {
		if (c->to >= 0)
			r = cb_nccl.ncclSend(c->send, c->count, c->type, c->to, c->comm, c->stream);
		if (r == ncclSuccess && c->from >= 0)
			r = cb_nccl.ncclRecv(c->recv, c->count, c->type, c->from, c->comm, c->stream);
	}
	ncclResult_t end = cb_nccl.ncclGroupEnd();
	return r != ncclSuccess ? r : end;
}

ncclResult_t cb_issue(const cb_call *c, const cb_cuda_table *cuda, int *cuda_result) {
	switch (c->kind) {
	case CB_ALL_REDUCE: return cb_nccl.ncclAllReduce(c->send, c->recv, c->count, c->type, c->op, c->comm, c->stream);
	case CB_BROADCAST: return cb_nccl.ncclBroadcast(c->send, c->recv, c->count, c->type, c->root, c->comm, c->stream);
	case CB_REDUCE: return cb_nccl.ncclReduce(c->send, c->recv, c->count, c->type, c->op, c->root, c->comm, c->stream);
	case CB_ALL_GATHER: return cb_nccl.ncclAllGather(c->send, c->recv, c->count, c->type, c->comm, c->stream);
	case CB_REDUCE_SCATTER: return cb_nccl.ncclReduceScatter(c->send, c->recv, c->count, c->type, c->op, c->comm, c->stream);
	case CB_ALL_TO_ALL: return c->native ? cb_nccl.ncclAlltoAll(c->send, c->recv, c->count, c->type, c->comm, c->stream) : all_pairs(c);
	case CB_GATHER: return c->native ? cb_nccl.ncclGather(c->send, c->recv, c->count, c->type, c->root, c->comm, c->stream) : rooted(c);
	case CB_SCATTER: return c->native ? cb_nccl.ncclScatter(c->send, c->recv, c->count, c->type, c->root, c->comm, c->stream) : rooted(c);
	case CB_SEND_RECV: return send_recv(c);
	case CB_GRAPH: return (*cuda_result = cuda->cuGraphLaunch(c->graph, c->stream)) == CUDA_SUCCESS ? ncclSuccess : ncclUnhandledCudaError;
	}
	return ncclInvalidUsage;
}

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static int failed(cb_loop *l, const char *call, int cuda, int nccl) {
	l->failed = call;
	l->cuda_result = cuda;
	l->nccl_result = nccl;
	return 1;
}

static int stopped(cb_loop *l, const int32_t *stop) { return l->stopped = __atomic_load_n(stop, __ATOMIC_RELAXED) != 0; }

// settle waits until a call of a non-blocking communicator is done.
static int settle(cb_loop *l, const cb_call *c, ncclResult_t r, const int32_t *stop) {
	while (r == ncclInProgress) {
		ncclResult_t asked = cb_nccl.ncclCommGetAsyncError(c->comm, &r);
		if (asked != ncclSuccess)
			return failed(l, "ncclCommGetAsyncError", 0, asked);
		if (stopped(l, stop))
			return 1;
		sched_yield();
	}
	return r == ncclSuccess ? 0 : failed(l, "the operation", 0, r);
}

static inline int issue(cb_loop *l, const cb_call *c, const int32_t *stop) {
	do {
		int cuda_result = 0;
		ncclResult_t r = cb_issue(c, l->cuda, &cuda_result);
		if (__builtin_expect(r == ncclSuccess, 1))
			continue;
		if (cuda_result != 0)
			return failed(l, "cuGraphLaunch", cuda_result, 0);
		if (settle(l, c, r, stop))
			return 1;
	} while ((c = c->next) != NULL);
	return 0;
}

// await waits until the event has passed, or until the stream is idle where there is none. Now and then it looks whether
// it is to stop, and whether the communicator has failed: what it waits for then never comes.
static int await(cb_loop *l, CUevent event, const int32_t *stop) {
	for (unsigned n = 1;; n++) {
		CUresult r = event != NULL ? l->cuda->cuEventQuery(event) : l->cuda->cuStreamQuery(l->work->stream);
		if (r == CUDA_SUCCESS)
			return 0;
		if (r != CUDA_ERROR_NOT_READY)
			return failed(l, event != NULL ? "cuEventQuery" : "cuStreamQuery", r, 0);
		if (n % 64 != 0)
			continue;
		if (stopped(l, stop))
			return 1;
		ncclResult_t async = ncclSuccess;
		if (n % 8192 == 0 && l->work->comm != NULL && cb_nccl.ncclCommGetAsyncError(l->work->comm, &async) == ncclSuccess &&
			async != ncclSuccess && async != ncclInProgress)
			return failed(l, "the operation", 0, async);
		sched_yield();
	}
}

static int launch(cb_loop *l, const cb_hook *hooks, uint32_t iteration) {
	for (int i = 0; i < 4 && hooks[i].launch != NULL; i++) {
		if (hooks[i].iteration != NULL)
			*hooks[i].iteration = iteration;
		cb_launch *k = hooks[i].launch;
		void *parameters[] = {k->parameter};
		CUresult r = l->cuda->cuLaunchKernel(k->function, k->grid, 1, 1, k->block, 1, 1, k->shared, k->stream, parameters, NULL);
		if (r != CUDA_SUCCESS)
			return failed(l, "cuLaunchKernel", r, 0);
	}
	return 0;
}

static int record(cb_loop *l, CUevent event) {
	CUresult r = l->cuda->cuEventRecord(event, l->work->stream);
	return r == CUDA_SUCCESS ? 0 : failed(l, "cuEventRecord", r, 0);
}

// take reads the time between a pair of events that has passed.
static int take(cb_loop *l, int pair, double *seconds, const int32_t *stop) {
	if (await(l, l->events[2 * pair + 1], stop))
		return 1;
	float milliseconds = 0;
	CUresult r = l->cuda->cuEventElapsedTime(&milliseconds, l->events[2 * pair], l->events[2 * pair + 1]);
	*seconds = milliseconds * 1e-3;
	return r == CUDA_SUCCESS ? 0 : failed(l, "cuEventElapsedTime", r, 0);
}

// back_to_back issues all iterations, in groups if there are to be groups.
static int back_to_back(cb_loop *l, int iterations, int64_t *progress, const int32_t *stop) {
	for (int i = 0; i < iterations;) {
		__atomic_store_n(progress, i, __ATOMIC_RELAXED);
		if (stopped(l, stop))
			return 1;
		if (l->aggregate <= 1) {
			if (issue(l, l->work, stop))
				return 1;
			i++;
			continue;
		}
		ncclResult_t r = cb_nccl.ncclGroupStart();
		for (int k = 0; r == ncclSuccess && k < l->aggregate && i < iterations; k++, i++) {
			int unused;
			r = cb_issue(l->work, l->cuda, &unused);
			if (r == ncclInProgress) // a member of a group is never done before its end
				r = ncclSuccess;
		}
		ncclResult_t end = cb_nccl.ncclGroupEnd();
		if (settle(l, l->work, r != ncclSuccess ? r : end, stop))
			return 1;
	}
	return 0;
}

static int together(cb_loop *l, uint32_t first, int iterations, double *seconds, int64_t *progress, const int32_t *stop) {
	if (launch(l, l->before, first) || (l->barrier != NULL && issue(l, l->barrier, stop)))
		return 1;
	double start = 0;
	if (l->host_clock) {
		if (await(l, NULL, stop))
			return 1;
		start = now();
	} else if (record(l, l->events[0])) {
		return 1;
	}
	if (back_to_back(l, iterations, progress, stop))
		return 1;
	if (l->host_clock) {
		if (await(l, NULL, stop))
			return 1;
		*seconds = now() - start;
	} else if (record(l, l->events[1]) || take(l, 0, seconds, stop)) {
		return 1;
	}
	*seconds /= iterations;
	return launch(l, l->after, first) || await(l, NULL, stop);
}

static int one_by_one(cb_loop *l, uint32_t first, int iterations, double *seconds, int64_t *progress, const int32_t *stop) {
	int taken = 0; // iterations whose time was read
	for (int i = 0; i < iterations; i++) {
		__atomic_store_n(progress, first + taken, __ATOMIC_RELAXED);
		if (stopped(l, stop) || launch(l, l->before, first + i) || (l->barrier != NULL && issue(l, l->barrier, stop)))
			return 1;
		if (l->host_clock) {
			if (await(l, NULL, stop))
				return 1;
			double start = now();
			if (issue(l, l->work, stop) || await(l, NULL, stop))
				return 1;
			seconds[i] = now() - start;
			taken++;
		} else {
			if (i - taken == l->pairs) {
				if (take(l, taken % l->pairs, &seconds[taken], stop))
					return 1;
				taken++;
			}
			int pair = i % l->pairs;
			if (record(l, l->events[2 * pair]) || issue(l, l->work, stop) || record(l, l->events[2 * pair + 1]))
				return 1;
		}
		if (launch(l, l->after, first + i))
			return 1;
	}
	for (; taken < iterations; taken++) {
		__atomic_store_n(progress, first + taken, __ATOMIC_RELAXED);
		if (take(l, taken % l->pairs, &seconds[taken], stop))
			return 1;
	}
	return await(l, NULL, stop);
}

int cb_run(cb_loop *l, uint32_t first, int iterations, double *seconds, int64_t *progress, const int32_t *stop) {
	l->failed = NULL;
	l->cuda_result = l->nccl_result = l->stopped = 0;
	return (l->batch ? together : one_by_one)(l, first, iterations, seconds, progress, stop);
}
