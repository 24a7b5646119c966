// This rank's end of a pair: a context with what one call needs and no more, its worker, memory, and an endpoint to the other rank.
#ifndef COLLBENCH_UCX_END_H
#define COLLBENCH_UCX_END_H

#include "calls.h"

enum { CB_AM_ID = 1, CB_API_MAJOR = 1, CB_API_MINOR = 12 };

typedef struct {
	ucp_context_h context;
	ucp_worker_h worker;
	ucp_ep_h ep;
	ucp_address_t *address; // of the worker
	size_t address_length;
	ucp_mem_h memory[2];
	char *send, *recv; // as long as asked for
	void *key;         // of recv, packed
	size_t key_length;
	ucp_rkey_h rkey; // of the other's recv
	uint64_t remote; // its address there
	int peer_errors;     // UCX is to notice when the other is gone
	ucs_status_t broken; // what the endpoint has reported then
	const char *call; // that failed
} cb_end;

// Each returns UCS_OK, or what went wrong, with the name of the call in call. cb_ucx_end_close gives back whatever there is.
ucs_status_t cb_ucx_end_open(cb_end *e, uint64_t features, size_t bytes);
ucs_status_t cb_ucx_end_connect(cb_end *e, const void *address, int peer_errors);
ucs_status_t cb_ucx_end_reach(cb_end *e, const void *key, uint64_t remote);
void cb_ucx_end_close(cb_end *e);

// cb_ucx_wait waits until the request of a call, or NULL, or an error, is done, while it makes progress on the workers of e and of
// other, which may be NULL. It gives the request back.
ucs_status_t cb_ucx_wait(cb_end *e, cb_end *other, ucs_status_ptr_t request, const char *call);

// cb_ucx_meet waits for the other rank, over ends with UCP_FEATURE_TAG: first says which of the two this is, and has them meet again
// and again for so many seconds. It makes progress on other too.
ucs_status_t cb_ucx_meet(cb_end *e, cb_end *other, int first, double seconds);

double cb_ucx_now(void);

// cb_ucx_describe writes the endpoint's lanes, as UCX prints them; the text is to be freed. NULL: no memory.
char *cb_ucx_describe(cb_end *e);

void cb_ucx_version(unsigned *major, unsigned *minor, unsigned *release);
const char *cb_ucx_status(ucs_status_t status);

#endif
