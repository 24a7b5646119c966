// The functions of libucp.so.0 that are used, in one list: what each returns, its name, parameters, and whether every version from
// 1.12 on has it. The table of addresses, the symbols to look up, and the test against the library's header are all made of it.
#ifndef COLLBENCH_UCX_CALLS_H
#define COLLBENCH_UCX_CALLS_H

#include "ucp.h"

#define CB_UCX_CALLS(CALL) \
	CALL(void, ucp_get_version, (unsigned *major, unsigned *minor, unsigned *release)) \
	CALL(ucs_status_t, ucp_config_read, (const char *prefix, const char *file, ucp_config_t **config)) \
	CALL(void, ucp_config_release, (ucp_config_t *config)) \
	CALL(ucs_status_t, ucp_init_version, (unsigned major, unsigned minor, const ucp_params_t *params, const ucp_config_t *config, ucp_context_h *context)) \
	CALL(void, ucp_cleanup, (ucp_context_h context)) \
	CALL(ucs_status_t, ucp_worker_create, (ucp_context_h context, const ucp_worker_params_t *params, ucp_worker_h *worker)) \
	CALL(void, ucp_worker_destroy, (ucp_worker_h worker)) \
	CALL(ucs_status_t, ucp_worker_get_address, (ucp_worker_h worker, ucp_address_t **address, size_t *length)) \
	CALL(void, ucp_worker_release_address, (ucp_worker_h worker, ucp_address_t *address)) \
	CALL(unsigned, ucp_worker_progress, (ucp_worker_h worker)) \
	CALL(ucs_status_t, ucp_worker_fence, (ucp_worker_h worker)) \
	CALL(ucs_status_ptr_t, ucp_worker_flush_nbx, (ucp_worker_h worker, const ucp_request_param_t *param)) \
	CALL(ucs_status_t, ucp_ep_create, (ucp_worker_h worker, const ucp_ep_params_t *params, ucp_ep_h *ep)) \
	CALL(ucs_status_ptr_t, ucp_ep_close_nbx, (ucp_ep_h ep, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_ep_flush_nbx, (ucp_ep_h ep, const ucp_request_param_t *param)) \
	CALL(void, ucp_ep_print_info, (ucp_ep_h ep, FILE *stream)) \
	CALL(ucs_status_t, ucp_mem_map, (ucp_context_h context, const ucp_mem_map_params_t *params, ucp_mem_h *memory)) \
	CALL(ucs_status_t, ucp_mem_unmap, (ucp_context_h context, ucp_mem_h memory)) \
	CALL(ucs_status_t, ucp_mem_query, (const ucp_mem_h memory, ucp_mem_attr_t *attr)) \
	CALL(ucs_status_t, ucp_rkey_pack, (ucp_context_h context, ucp_mem_h memory, void **key, size_t *length)) \
	CALL(void, ucp_rkey_buffer_release, (void *key)) \
	CALL(ucs_status_t, ucp_ep_rkey_unpack, (ucp_ep_h ep, const void *key, ucp_rkey_h *rkey)) \
	CALL(void, ucp_rkey_destroy, (ucp_rkey_h rkey)) \
	CALL(ucs_status_t, ucp_worker_set_am_recv_handler, (ucp_worker_h worker, const ucp_am_handler_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_am_send_nbx, (ucp_ep_h ep, unsigned id, const void *header, size_t header_length, const void *buffer, size_t count, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_am_recv_data_nbx, (ucp_worker_h worker, void *data, void *buffer, size_t count, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_stream_send_nbx, (ucp_ep_h ep, const void *buffer, size_t count, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_stream_recv_nbx, (ucp_ep_h ep, void *buffer, size_t count, size_t *length, const ucp_request_param_t *param)) \
	CALL(ucs_status_t, ucp_stream_recv_request_test, (void *request, size_t *length)) \
	CALL(ucs_status_ptr_t, ucp_tag_send_nbx, (ucp_ep_h ep, const void *buffer, size_t count, ucp_tag_t tag, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_tag_recv_nbx, (ucp_worker_h worker, void *buffer, size_t count, ucp_tag_t tag, ucp_tag_t mask, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_put_nbx, (ucp_ep_h ep, const void *buffer, size_t count, uint64_t remote, ucp_rkey_h rkey, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_get_nbx, (ucp_ep_h ep, void *buffer, size_t count, uint64_t remote, ucp_rkey_h rkey, const ucp_request_param_t *param)) \
	CALL(ucs_status_ptr_t, ucp_atomic_op_nbx, (ucp_ep_h ep, ucp_atomic_op_t op, const void *buffer, size_t count, uint64_t remote, ucp_rkey_h rkey, const ucp_request_param_t *param)) \
	CALL(ucs_status_t, ucp_request_query, (void *request, ucp_request_attr_t *attr)) \
	CALL(ucs_status_t, ucp_request_check_status, (void *request)) \
	CALL(void, ucp_request_cancel, (ucp_worker_h worker, void *request)) \
	CALL(void, ucp_request_free, (void *request))

// Of libucs.so.0, on which it stands.
#define CB_UCS_CALLS(CALL) \
	CALL(const char *, ucs_status_string, (ucs_status_t status))

#define CB_FIELD(result, name, parameters) result (*name) parameters;
typedef struct { CB_UCX_CALLS(CB_FIELD) CB_UCS_CALLS(CB_FIELD) } cb_ucx_table;
#undef CB_FIELD

typedef struct { const char *name; void **slot; } cb_ucx_symbol;
extern cb_ucx_table cb_ucx;
extern cb_ucx_symbol cb_ucx_symbols[];
extern const int cb_ucx_symbol_count;

#endif
