// The timed loop: messages of one call between the two ranks of a pair. What it does between two readings of the clock is what
// ucx_perftest does (src/tools/perf/lib/ucp_tests.cc), so that the figures can be held against each other.
#ifndef COLLBENCH_UCX_LOOP_H
#define COLLBENCH_UCX_LOOP_H

#include "end.h"

// What carries a message, in the order of Call.
enum { CB_TAG, CB_AM, CB_STREAM, CB_PUT, CB_PUT_FLUSH, CB_GET, CB_ADD, CB_FETCH_ADD, CB_SWAP, CB_COMPARE_SWAP };

// How the ranks take turns, in the order of Pattern.
enum { CB_PING_PONG, CB_ALONE, CB_WINDOW, CB_BOTH_WAYS };

enum { CB_TIMES = 2048, CB_INFO = 512 };

typedef struct {
	cb_end *end;     // the call's
	cb_end *control; // with UCP_FEATURE_TAG, where the ranks meet
	int call, pattern;
	int first; // this is the rank that sends, or begins
	size_t bytes;
	char *send, *recv; // where messages begin in the end's memory
	uint64_t remote;   // and in the other's
	long window;
	// Under way, and what has gone wrong with one of them.
	long sends, receives;
	ucs_status_t status;
	const char *failed; // the name of the call
	long arrivals; // active messages that are to come: of the last one the data is kept
	ucp_request_param_t send_param, recv_param, am_param;
	uint64_t value, reply; // of an atomic
	// describe has the next message's request tell how it goes.
	int describe;
	void *asked; // that request
	char info[CB_INFO];
	// The times of the last messages, in ticks.
	uint64_t ticks[CB_TIMES];
	unsigned head;
	uint64_t previous;
	double seconds_per_tick;
} cb_loop;

// cb_ucx_loop_init makes the loop ready once its ends are connected.
ucs_status_t cb_ucx_loop_init(cb_loop *l);

// cb_ucx_run waits for the other rank, has the pair exchange so many messages, and waits for it again. seconds: from the first meeting
// until this rank's part is done; of the sender of messages until the other has all of them. The number of each message is written
// to progress, from first on, for a watchdog.
ucs_status_t cb_ucx_run(cb_loop *l, long messages, int64_t first, int64_t *progress, double *seconds);

#endif
