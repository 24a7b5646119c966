#define _GNU_SOURCE
#include "end.h"

#include <stdlib.h>
#include <time.h>

// TRY makes a call and leaves with what went wrong.
#define TRY(e, name, arguments) \
	do { \
		ucs_status_t status_ = cb_ucx.name arguments; \
		if (status_ != UCS_OK) { \
			(e)->call = #name; \
			return status_; \
		} \
	} while (0)

// allocate has UCX choose where the memory is, so that the other rank may reach it directly.
static ucs_status_t allocate(cb_end *e, size_t bytes, ucp_mem_h *memory, char **address) {
	ucp_mem_map_params_t params = {
		.field_mask = UCP_MEM_MAP_PARAM_FIELD_ADDRESS | UCP_MEM_MAP_PARAM_FIELD_LENGTH | UCP_MEM_MAP_PARAM_FIELD_FLAGS |
			UCP_MEM_MAP_PARAM_FIELD_MEMORY_TYPE,
		.length = bytes, .flags = UCP_MEM_MAP_ALLOCATE, .memory_type = UCS_MEMORY_TYPE_HOST,
	};
	TRY(e, ucp_mem_map, (e->context, &params, memory));
	ucp_mem_attr_t attr = {.field_mask = UCP_MEM_ATTR_FIELD_ADDRESS};
	TRY(e, ucp_mem_query, (*memory, &attr));
	*address = attr.address;
	return UCS_OK;
}

ucs_status_t cb_ucx_end_open(cb_end *e, uint64_t features, size_t bytes) {
	ucp_config_t *config;
	TRY(e, ucp_config_read, (NULL, NULL, &config));
	ucp_params_t params = {.field_mask = UCP_PARAM_FIELD_FEATURES, .features = features};
	ucs_status_t status = cb_ucx.ucp_init_version(CB_API_MAJOR, CB_API_MINOR, &params, config, &e->context);
	cb_ucx.ucp_config_release(config);
	if (status != UCS_OK) {
		e->call = "ucp_init";
		e->context = NULL;
		return status;
	}
	status = allocate(e, bytes, &e->memory[0], &e->send);
	if (status == UCS_OK)
		status = allocate(e, bytes, &e->memory[1], &e->recv);
	if (status != UCS_OK)
		return status;
	ucp_worker_params_t worker = {.field_mask = UCP_WORKER_PARAM_FIELD_THREAD_MODE, .thread_mode = UCS_THREAD_MODE_SINGLE};
	TRY(e, ucp_worker_create, (e->context, &worker, &e->worker));
	TRY(e, ucp_worker_get_address, (e->worker, &e->address, &e->address_length));
	if (features & (UCP_FEATURE_RMA | UCP_FEATURE_AMO32 | UCP_FEATURE_AMO64))
		TRY(e, ucp_rkey_pack, (e->context, e->memory[1], &e->key, &e->key_length));
	return UCS_OK;
}

static void broken(void *argument, ucp_ep_h ep, ucs_status_t status) {
	(void)ep;
	((cb_end *)argument)->broken = status;
}

ucs_status_t cb_ucx_end_connect(cb_end *e, const void *address, int peer_errors) {
	ucp_ep_params_t params = {.field_mask = UCP_EP_PARAM_FIELD_REMOTE_ADDRESS, .address = address};
	e->peer_errors = peer_errors;
	if (peer_errors) {
		params.field_mask |= UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE | UCP_EP_PARAM_FIELD_ERR_HANDLER;
		params.err_mode = UCP_ERR_HANDLING_MODE_PEER;
		params.err_handler.cb = broken;
		params.err_handler.arg = e;
	}
	TRY(e, ucp_ep_create, (e->worker, &params, &e->ep));
	return UCS_OK;
}

ucs_status_t cb_ucx_end_reach(cb_end *e, const void *key, uint64_t remote) {
	e->remote = remote;
	TRY(e, ucp_ep_rkey_unpack, (e->ep, key, &e->rkey));
	return UCS_OK;
}

// So many turns of progress an endpoint is given to close. Where UCX does not notice that the other is gone it may need more.
enum { CB_CLOSING = 100000 };

void cb_ucx_end_close(cb_end *e) {
	if (e->rkey != NULL)
		cb_ucx.ucp_rkey_destroy(e->rkey);
	if (e->ep != NULL) {
		ucp_request_param_t param = {.op_attr_mask = UCP_OP_ATTR_FIELD_FLAGS, .flags = e->peer_errors ? UCP_EP_CLOSE_FLAG_FORCE : 0};
		ucs_status_ptr_t request = cb_ucx.ucp_ep_close_nbx(e->ep, &param);
		if (UCS_PTR_IS_PTR(request)) {
			for (int i = 0; i < CB_CLOSING && cb_ucx.ucp_request_check_status(request) == UCS_INPROGRESS; i++)
				cb_ucx.ucp_worker_progress(e->worker);
			cb_ucx.ucp_request_free(request);
		}
	}
	if (e->address != NULL)
		cb_ucx.ucp_worker_release_address(e->worker, e->address);
	if (e->worker != NULL)
		cb_ucx.ucp_worker_destroy(e->worker);
	if (e->key != NULL)
		cb_ucx.ucp_rkey_buffer_release(e->key);
	for (int i = 0; i < 2; i++)
		if (e->memory[i] != NULL)
			cb_ucx.ucp_mem_unmap(e->context, e->memory[i]);
	if (e->context != NULL)
		cb_ucx.ucp_cleanup(e->context);
	*e = (cb_end){.call = e->call};
}

ucs_status_t cb_ucx_wait(cb_end *e, cb_end *other, ucs_status_ptr_t request, const char *call) {
	ucs_status_t status = UCS_PTR_RAW_STATUS(request);
	if (UCS_PTR_IS_PTR(request)) {
		while ((status = cb_ucx.ucp_request_check_status(request)) == UCS_INPROGRESS) {
			cb_ucx.ucp_worker_progress(e->worker);
			if (other != NULL)
				cb_ucx.ucp_worker_progress(other->worker);
			if (e->broken != UCS_OK || (other != NULL && other->broken != UCS_OK)) {
				status = e->broken != UCS_OK ? e->broken : other->broken;
				cb_ucx.ucp_request_cancel(e->worker, request);
				break;
			}
		}
		cb_ucx.ucp_request_free(request);
	}
	if (status != UCS_OK)
		e->call = call;
	return status;
}

enum { CB_MEETING_TAG = 0xcb };

static ucs_status_t say(cb_end *e, cb_end *other) {
	ucp_request_param_t param = {0};
	return cb_ucx_wait(e, other, cb_ucx.ucp_tag_send_nbx(e->ep, e->send, 1, CB_MEETING_TAG, &param), "ucp_tag_send_nbx");
}

static ucs_status_t hear(cb_end *e, cb_end *other) {
	ucp_request_param_t param = {0};
	return cb_ucx_wait(e, other, cb_ucx.ucp_tag_recv_nbx(e->worker, e->recv, 1, CB_MEETING_TAG, (ucp_tag_t)-1, &param), "ucp_tag_recv_nbx");
}

double cb_ucx_now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

ucs_status_t cb_ucx_meet(cb_end *e, cb_end *other, int first, double seconds) {
	double until = cb_ucx_now() + seconds;
	for (;;) {
		if (first)
			e->send[0] = cb_ucx_now() < until; // whether to meet again
		ucs_status_t status = first ? say(e, other) : hear(e, other);
		if (status == UCS_OK)
			status = first ? hear(e, other) : say(e, other);
		if (status != UCS_OK || !(first ? e->send : e->recv)[0])
			return status;
	}
}

char *cb_ucx_describe(cb_end *e) {
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	if (stream == NULL)
		return NULL;
	cb_ucx.ucp_ep_print_info(e->ep, stream);
	if (fclose(stream) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

void cb_ucx_version(unsigned *major, unsigned *minor, unsigned *release) { cb_ucx.ucp_get_version(major, minor, release); }

const char *cb_ucx_status(ucs_status_t status) { return cb_ucx.ucs_status_string(status); }
