#include "loop.h"

#include <string.h>
#include <time.h>

enum { CB_TAG_VALUE = 0x1337a880 };
// What the last byte of a buffer says where messages are seen in memory: none yet, the last of a window.
enum { CB_NOT_YET = 0, CB_LAST = 1, CB_UNKNOWN = 255 };

// CB_SETTLE is for how long the ranks meet before the clock is read, in seconds: whatever has told them to begin is on the same CPUs for
// a while, and comes to rest meanwhile.
#define CB_SETTLE 3e-3

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t ticks(void) {
#if defined(__x86_64__)
	return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
	uint64_t t;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
#endif
}

static void fail(cb_loop *l, ucs_status_t status, const char *call) {
	if (l->status == UCS_OK) {
		l->status = status;
		l->failed = call;
	}
}

static void sent(void *request, ucs_status_t status, void *loop) {
	cb_loop *l = loop;
	l->sends--;
	if (__builtin_expect(status != UCS_OK, 0))
		fail(l, status, "a send");
	cb_ucx.ucp_request_free(request);
}

// told is sent for the request that was asked how its message goes. It is given back when all is done.
static void told(void *request, ucs_status_t status, void *loop) {
	cb_loop *l = loop;
	(void)request;
	l->sends--;
	if (status != UCS_OK)
		fail(l, status, "a send");
}

static void received(void *request, ucs_status_t status, const ucp_tag_recv_info_t *info, void *loop) {
	cb_loop *l = loop;
	(void)info;
	l->receives--;
	if (__builtin_expect(status != UCS_OK, 0))
		fail(l, status, "a receive");
	cb_ucx.ucp_request_free(request);
}

static void am_received(void *request, ucs_status_t status, size_t length, void *loop) {
	(void)length;
	received(request, status, NULL, loop);
}

static void stream_received(void *request, ucs_status_t status, size_t length, void *loop) {
	(void)request, (void)status, (void)length, (void)loop;
}

// am_arrived takes an active message. An eager one's data goes when this returns: that of the last one is kept, to be looked at.
static ucs_status_t am_arrived(void *loop, const void *header, size_t header_length, void *data, size_t length, const ucp_am_recv_param_t *param) {
	cb_loop *l = loop;
	(void)header, (void)header_length;
	if (param->recv_attr & UCP_AM_RECV_ATTR_FLAG_RNDV) {
		ucs_status_ptr_t r = cb_ucx.ucp_am_recv_data_nbx(l->end->worker, data, l->recv, length, &l->am_param);
		if (UCS_PTR_IS_ERR(r))
			fail(l, UCS_PTR_RAW_STATUS(r), "ucp_am_recv_data_nbx");
		return UCS_INPROGRESS;
	}
	if (--l->arrivals == 0)
		memcpy(l->recv, data, length < l->bytes ? length : l->bytes);
	l->receives--;
	return UCS_OK;
}

static int atomic(int call) { return call >= CB_ADD; }

ucs_status_t cb_ucx_loop_init(cb_loop *l) {
	size_t element = atomic(l->call) ? l->bytes : 1;
	l->send_param = (ucp_request_param_t){
		.op_attr_mask = UCP_OP_ATTR_FIELD_DATATYPE | UCP_OP_ATTR_FIELD_CALLBACK | UCP_OP_ATTR_FIELD_USER_DATA,
		.datatype = ucp_dt_make_contig(element), .cb.send = sent, .user_data = l,
	};
	l->recv_param = l->am_param = l->send_param;
	l->recv_param.cb.recv = received;
	l->am_param.cb.recv_am = am_received;
	l->am_param.op_attr_mask |= UCP_OP_ATTR_FLAG_NO_IMM_CMPL;
	if (l->call == CB_STREAM) {
		l->recv_param.cb.recv_stream = stream_received;
	}
	if (l->pattern == CB_WINDOW || l->pattern == CB_BOTH_WAYS)
		l->send_param.op_attr_mask |= UCP_OP_ATTR_FLAG_MULTI_SEND;
	if (l->call == CB_FETCH_ADD || l->call == CB_SWAP || l->call == CB_COMPARE_SWAP) {
		l->send_param.op_attr_mask |= UCP_OP_ATTR_FIELD_REPLY_BUFFER;
		l->send_param.reply_buffer = &l->reply;
	}
	if (l->call != CB_AM)
		return UCS_OK;
	ucp_am_handler_param_t handler = {
		.field_mask = UCP_AM_HANDLER_PARAM_FIELD_ID | UCP_AM_HANDLER_PARAM_FIELD_CB | UCP_AM_HANDLER_PARAM_FIELD_ARG | UCP_AM_HANDLER_PARAM_FIELD_FLAGS,
		.id = CB_AM_ID, .flags = UCP_AM_FLAG_WHOLE_MSG, .cb = am_arrived, .arg = l,
	};
	l->failed = "ucp_worker_set_am_recv_handler";
	return cb_ucx.ucp_worker_set_am_recv_handler(l->end->worker, &handler);
}

// progress says whether to go on: not if the endpoint or a message has failed.
INLINE int progress(cb_loop *l) {
	cb_ucx.ucp_worker_progress(l->end->worker);
	if (__builtin_expect(l->end->broken != UCS_OK, 0))
		fail(l, l->end->broken, "the endpoint");
	return l->status == UCS_OK;
}

INLINE volatile uint8_t *last_byte(char *buffer, size_t bytes) { return (volatile uint8_t *)buffer + bytes - 1; }

INLINE ucs_status_ptr_t start(cb_loop *l, const int call, const ucp_request_param_t *param) {
	cb_end *e = l->end;
	switch (call) {
	case CB_TAG: return cb_ucx.ucp_tag_send_nbx(e->ep, l->send, l->bytes, CB_TAG_VALUE, param);
	case CB_AM: return cb_ucx.ucp_am_send_nbx(e->ep, CB_AM_ID, NULL, 0, l->send, l->bytes, param);
	case CB_STREAM: return cb_ucx.ucp_stream_send_nbx(e->ep, l->send, l->bytes, param);
	case CB_PUT:
	case CB_PUT_FLUSH: return cb_ucx.ucp_put_nbx(e->ep, l->send, l->bytes, l->remote, e->rkey, param);
	case CB_GET: return cb_ucx.ucp_get_nbx(e->ep, l->send, l->bytes, l->remote, e->rkey, param);
	case CB_ADD:
	case CB_FETCH_ADD: return cb_ucx.ucp_atomic_op_nbx(e->ep, UCP_ATOMIC_OP_ADD, &l->value, 1, l->remote, e->rkey, param);
	case CB_SWAP: return cb_ucx.ucp_atomic_op_nbx(e->ep, UCP_ATOMIC_OP_SWAP, &l->value, 1, l->remote, e->rkey, param);
	default: return cb_ucx.ucp_atomic_op_nbx(e->ep, UCP_ATOMIC_OP_CSWAP, &l->value, 1, l->remote, e->rkey, param);
	}
}

// start_told sends a message whose request, if there is one, says how it goes.
static ucs_status_ptr_t start_told(cb_loop *l, int call) {
	ucp_request_param_t param = l->send_param;
	param.op_attr_mask |= UCP_OP_ATTR_FLAG_NO_IMM_CMPL;
	param.cb.send = told;
	l->describe = 0;
	ucs_status_ptr_t r = start(l, call, &param);
	if (!UCS_PTR_IS_PTR(r))
		return r;
	l->sends++;
	ucp_request_attr_t attr = {
		.field_mask = UCP_REQUEST_ATTR_FIELD_INFO_STRING | UCP_REQUEST_ATTR_FIELD_INFO_STRING_SIZE, .debug_string = l->info, .debug_string_size = CB_INFO,
	};
	if (cb_ucx.ucp_request_query(r, &attr) != UCS_OK)
		l->info[0] = 0;
	l->asked = r;
	return NULL;
}

// drain waits until so many sends are under way at most.
INLINE void drain(cb_loop *l, long sends) {
	while (l->sends > sends && progress(l)) {}
}

INLINE void await_receives(cb_loop *l, long receives) {
	while (l->receives > receives && progress(l)) {}
}

// post sends message number i once there is room for it.
INLINE void post(cb_loop *l, const int call, const int pattern, long i) {
	drain(l, l->window - 1);
	if (call == CB_PUT && pattern == CB_PING_PONG)
		*last_byte(l->send, l->bytes) = (uint8_t)i;
	if (call == CB_SWAP)
		l->value = i + 1;
	if (call == CB_COMPARE_SWAP) {
		l->value = i;
		l->reply = i + 1;
	}
	ucs_status_ptr_t r = __builtin_expect(l->describe, 0) ? start_told(l, call) : start(l, call, &l->send_param);
	if (UCS_PTR_IS_PTR(r))
		l->sends++;
	else if (__builtin_expect(r != NULL, 0))
		fail(l, UCS_PTR_RAW_STATUS(r), "a send");
}

static void receive_stream(cb_loop *l) {
	for (size_t total = 0; total < l->bytes && l->status == UCS_OK;) {
		size_t length = 0;
		ucs_status_ptr_t r = cb_ucx.ucp_stream_recv_nbx(l->end->ep, l->recv + total, l->bytes - total, &length, &l->recv_param);
		if (UCS_PTR_IS_PTR(r)) {
			ucs_status_t status;
			while ((status = cb_ucx.ucp_stream_recv_request_test(r, &length)) == UCS_INPROGRESS && progress(l)) {}
			cb_ucx.ucp_request_free(r);
			if (status != UCS_OK)
				fail(l, status, "a receive");
		} else if (r != NULL) {
			fail(l, UCS_PTR_RAW_STATUS(r), "ucp_stream_recv_nbx");
		}
		total += length;
	}
}

// receive takes message number i, or begins to.
INLINE void receive(cb_loop *l, const int call, const int pattern, long i) {
	ucs_status_ptr_t r;
	switch (call) {
	case CB_TAG:
		await_receives(l, l->window - 1);
		r = cb_ucx.ucp_tag_recv_nbx(l->end->worker, l->recv, l->bytes, CB_TAG_VALUE, (ucp_tag_t)-1, &l->recv_param);
		if (__builtin_expect(UCS_PTR_IS_PTR(r), 1))
			l->receives++;
		else if (__builtin_expect(r != NULL, 0))
			fail(l, UCS_PTR_RAW_STATUS(r), "ucp_tag_recv_nbx");
		break;
	case CB_AM:
		l->receives++;
		break;
	case CB_STREAM:
		receive_stream(l);
		break;
	case CB_PUT:
		if (pattern == CB_PING_PONG)
			while (*last_byte(l->recv, l->bytes) != (uint8_t)i && progress(l)) {}
		break;
	}
}

// tick notes when message number i was done.
INLINE void tick(cb_loop *l, int64_t number, int64_t *where) {
	uint64_t t = ticks();
	l->ticks[l->head] = t - l->previous;
	l->head = (l->head + 1) % CB_TIMES;
	l->previous = t;
	__atomic_store_n(where, number, __ATOMIC_RELAXED);
}

static void flush(cb_loop *l) {
	ucp_request_param_t param = {0};
	ucs_status_t status = cb_ucx_wait(l->end, NULL, cb_ucx.ucp_worker_flush_nbx(l->end->worker, &param), "ucp_worker_flush_nbx");
	if (status != UCS_OK)
		fail(l, status, "ucp_worker_flush_nbx");
}

INLINE void flush_endpoint(cb_loop *l) {
	drain(l, 0);
	ucs_status_ptr_t r = cb_ucx.ucp_ep_flush_nbx(l->end->ep, &l->send_param);
	if (UCS_PTR_IS_PTR(r))
		l->sends++;
	else if (r != NULL)
		fail(l, UCS_PTR_RAW_STATUS(r), "ucp_ep_flush_nbx");
	drain(l, 0);
}

INLINE void ping_pong(cb_loop *l, const int call, long n, int64_t first, int64_t *where) {
	for (long i = 0; i < n && l->status == UCS_OK; i++) {
		if (l->first)
			post(l, call, CB_PING_PONG, i);
		receive(l, call, CB_PING_PONG, i);
		await_receives(l, 0);
		if (!l->first)
			post(l, call, CB_PING_PONG, i);
		tick(l, first + i + 1, where);
	}
}

// mark has the other rank see that a put was the last one.
static void mark(cb_loop *l) {
	drain(l, 0);
	ucs_status_t status = cb_ucx.ucp_worker_fence(l->end->worker);
	if (status != UCS_OK)
		fail(l, status, "ucp_worker_fence");
	*last_byte(l->send, l->bytes) = CB_LAST;
	post(l, CB_PUT, CB_WINDOW, 0);
}

// await_last waits until all that the other does to this rank's memory has been done: n atomics, or a put with the mark.
static void await_last(cb_loop *l, long n) {
	char *recv = l->recv;
	if (l->call == CB_PUT || l->call == CB_PUT_FLUSH)
		while (*last_byte(recv, l->bytes) != CB_LAST && progress(l)) {}
	else if (atomic(l->call) && l->bytes == 4)
		while (*(volatile uint32_t *)recv != (uint32_t)n && progress(l)) {}
	else if (atomic(l->call))
		while (*(volatile uint64_t *)recv != (uint64_t)n && progress(l)) {}
}

INLINE void alone(cb_loop *l, const int call, long n, int64_t first, int64_t *where) {
	for (long i = 0; i < n && l->status == UCS_OK; i++) {
		post(l, call, CB_ALONE, i);
		if (call == CB_PUT_FLUSH)
			flush_endpoint(l);
		drain(l, 0);
		tick(l, first + i + 1, where);
	}
}

INLINE void window(cb_loop *l, const int call, const int sends, const int receives, long n, int64_t first, int64_t *where) {
	for (long i = 0; i < n && l->status == UCS_OK; i++) {
		if (sends)
			post(l, call, CB_WINDOW, i);
		if (receives)
			receive(l, call, CB_WINDOW, i);
		tick(l, first + i + 1, where);
	}
}

// all carries out the pattern by one call, which the compiler knows.
INLINE void all(cb_loop *l, const int call, long n, int64_t first, int64_t *where) {
	int put = call == CB_PUT || call == CB_PUT_FLUSH;
	switch (l->pattern) {
	case CB_PING_PONG:
		ping_pong(l, call, n, first, where);
		break;
	case CB_ALONE:
		if (l->first)
			alone(l, call, n, first, where);
		break;
	case CB_WINDOW:
		if (l->first)
			window(l, call, 1, 0, n, first, where);
		else
			window(l, call, 0, 1, n, first, where);
		break;
	case CB_BOTH_WAYS:
		window(l, call, 1, 1, n, first, where);
		break;
	}
	if (l->pattern != CB_PING_PONG) {
		if (put && (l->first || l->pattern == CB_BOTH_WAYS))
			mark(l);
		if (!l->first || l->pattern == CB_BOTH_WAYS)
			await_last(l, n);
	}
	await_receives(l, 0);
	drain(l, 0);
	if (l->status == UCS_OK)
		flush(l);
}

// ready sets what the ranks look at in memory, before they meet.
static void ready(cb_loop *l, long n) {
	int seen = l->pattern == CB_PING_PONG ? CB_UNKNOWN : CB_NOT_YET;
	l->arrivals = n;
	l->value = 1;
	if (l->call == CB_PUT || l->call == CB_PUT_FLUSH) {
		*last_byte(l->send, l->bytes) = seen;
		*last_byte(l->recv, l->bytes) = seen;
	}
	if (atomic(l->call))
		memset(l->recv, 0, l->bytes);
}

static ucs_status_t meet(cb_loop *l, double seconds) {
	ucs_status_t status = cb_ucx_meet(l->control, l->end, l->first, seconds);
	if (status != UCS_OK)
		fail(l, status, l->control->call);
	return l->status;
}

// acknowledged says whether the sender has to hear from the receiver that all has come.
static int acknowledged(const cb_loop *l) { return l->pattern == CB_WINDOW && l->call <= CB_STREAM; }

ucs_status_t cb_ucx_run(cb_loop *l, long n, int64_t first, int64_t *where, double *seconds) {
	ready(l, n);
	if (meet(l, CB_SETTLE) != UCS_OK)
		return l->status;
	uint64_t start_ticks = l->previous = ticks();
	double start_time = cb_ucx_now();
	switch (l->call) {
	case CB_TAG: all(l, CB_TAG, n, first, where); break;
	case CB_AM: all(l, CB_AM, n, first, where); break;
	case CB_STREAM: all(l, CB_STREAM, n, first, where); break;
	case CB_PUT: all(l, CB_PUT, n, first, where); break;
	case CB_PUT_FLUSH: all(l, CB_PUT_FLUSH, n, first, where); break;
	case CB_GET: all(l, CB_GET, n, first, where); break;
	case CB_ADD: all(l, CB_ADD, n, first, where); break;
	case CB_FETCH_ADD: all(l, CB_FETCH_ADD, n, first, where); break;
	case CB_SWAP: all(l, CB_SWAP, n, first, where); break;
	case CB_COMPARE_SWAP: all(l, CB_COMPARE_SWAP, n, first, where); break;
	}
	double took = cb_ucx_now() - start_time;
	l->seconds_per_tick = took / (ticks() - start_ticks + 1);
	if (l->status == UCS_OK && meet(l, 0) == UCS_OK && acknowledged(l))
		took = cb_ucx_now() - start_time;
	*seconds = took;
	if (l->asked != NULL)
		cb_ucx.ucp_request_free(l->asked);
	l->asked = NULL;
	return l->status;
}
