// The timed loop: iterations of one prepared operation on a stream.
#ifndef COLLBENCH_NCCL_LOOP_H
#define COLLBENCH_NCCL_LOOP_H

#include <stdint.h>

#include "../cuda/calls.h"
#include "calls.h"

enum cb_kind {
	CB_ALL_REDUCE, CB_BROADCAST, CB_REDUCE, CB_ALL_GATHER, CB_REDUCE_SCATTER, CB_ALL_TO_ALL, CB_GATHER, CB_SCATTER, CB_SEND_RECV,
	CB_GRAPH,
};

// One operation of this rank.
typedef struct cb_call {
	int kind;
	const char *send;
	char *recv;
	size_t count;  // elements, with NCCL's meaning for the collective; of all to all, gather and scatter: for each peer
	size_t stride; // bytes of count elements
	int type, op;
	int root;
	int to, from;  // of send/recv; -1: nobody
	int times;     // of send/recv: messages each way, in one group
	int rank, ranks;
	int native;    // the library has the collective as a call of its own
	ncclComm_t comm;
	cudaStream_t stream;
	CUgraphExec graph; // of CB_GRAPH
	const struct cb_call *next; // what follows as a part of the same operation, or NULL
} cb_call;

// A kernel before or after the operation, outside of what is timed: it makes or checks data.
typedef struct {
	cb_launch *launch;
	uint32_t *iteration; // in its parameter, set before each launch; or NULL
} cb_hook;

typedef struct {
	const cb_cuda_table *cuda;
	const cb_call *work;
	const cb_call *barrier; // before each iteration that is timed by itself, or NULL
	cb_hook before[4], after[4]; // those with a launch are carried out in order
	int batch;      // time all iterations together
	int aggregate;  // with batch: operations in a group; 1: no groups
	int host_clock; // time by the host's clock, not by events
	CUevent *events; // 2*pairs, alternating start and end
	int pairs;
	// What failed: the call's name and what it returned; stopped: nothing failed.
	const char *failed;
	int cuda_result, nccl_result, stopped;
} cb_loop;

// cb_run carries out so many iterations, numbered from first on, and writes their times: one a number with batch, else
// one each. It writes the number of the iteration at hand to progress, for a watchdog: the first that is not known to be
// done, with batch that within the batch. It gives up when stop is not 0. It returns 0, or 1 with the failure in the loop.
int cb_run(cb_loop *l, uint32_t first, int iterations, double *seconds, int64_t *progress, const int32_t *stop);

// cb_issue puts the operation into its stream, without what follows.
ncclResult_t cb_issue(const cb_call *c, const cb_cuda_table *cuda, int *cuda_result);

#endif
