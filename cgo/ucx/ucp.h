// Our own declarations of what is used of UCX's communication layer, under the library's names, as in UCX 1.12 to 1.22 (abi.tsv).
// Structs that begin with a mask of the fields that are set are declared only as far as they are used: the library reads no others.
// A program never has both this and the library's ucp.h.
#ifndef COLLBENCH_UCP_H
#define COLLBENCH_UCP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// In the library it is an enumeration of one byte.
typedef int8_t ucs_status_t;
enum { UCS_OK = 0, UCS_INPROGRESS = 1, UCS_ERR_LAST = -100 };

// What a call that may go on returns: NULL when it is done, an error, or a request.
typedef void *ucs_status_ptr_t;
#define UCS_PTR_IS_ERR(p) ((uintptr_t)(p) >= (uintptr_t)UCS_ERR_LAST)
#define UCS_PTR_IS_PTR(p) ((uintptr_t)(p) - 1 < (uintptr_t)UCS_ERR_LAST - 1)
#define UCS_PTR_RAW_STATUS(p) ((ucs_status_t)(intptr_t)(p))

typedef struct ucp_context *ucp_context_h;
typedef struct ucp_worker *ucp_worker_h;
typedef struct ucp_ep *ucp_ep_h;
typedef struct ucp_rkey *ucp_rkey_h;
typedef struct ucp_mem *ucp_mem_h;
typedef struct ucp_address ucp_address_t;
typedef struct ucp_config ucp_config_t;
typedef uint64_t ucp_tag_t;
typedef uint64_t ucp_datatype_t;
typedef int ucs_memory_type_t;
typedef int ucs_thread_mode_t;
typedef int ucp_err_handling_mode_t;
typedef int ucp_atomic_op_t;

enum { UCS_THREAD_MODE_SINGLE = 0, UCS_MEMORY_TYPE_HOST = 0 };
enum { UCP_ERR_HANDLING_MODE_NONE = 0, UCP_ERR_HANDLING_MODE_PEER = 1 };
enum { UCP_ATOMIC_OP_ADD = 0, UCP_ATOMIC_OP_SWAP = 1, UCP_ATOMIC_OP_CSWAP = 2 };
enum { UCP_PARAM_FIELD_FEATURES = 1 };
enum { UCP_FEATURE_TAG = 1, UCP_FEATURE_RMA = 2, UCP_FEATURE_AMO32 = 4, UCP_FEATURE_AMO64 = 8, UCP_FEATURE_STREAM = 32, UCP_FEATURE_AM = 64 };
enum { UCP_WORKER_PARAM_FIELD_THREAD_MODE = 1 };
enum { UCP_EP_PARAM_FIELD_REMOTE_ADDRESS = 1, UCP_EP_PARAM_FIELD_ERR_HANDLING_MODE = 2, UCP_EP_PARAM_FIELD_ERR_HANDLER = 4 };
enum { UCP_EP_CLOSE_FLAG_FORCE = 1 };
enum {
	UCP_MEM_MAP_PARAM_FIELD_ADDRESS = 1, UCP_MEM_MAP_PARAM_FIELD_LENGTH = 2, UCP_MEM_MAP_PARAM_FIELD_FLAGS = 4,
	UCP_MEM_MAP_PARAM_FIELD_MEMORY_TYPE = 16,
};
enum { UCP_MEM_MAP_ALLOCATE = 2, UCP_MEM_ATTR_FIELD_ADDRESS = 1 };
enum {
	UCP_OP_ATTR_FIELD_CALLBACK = 2, UCP_OP_ATTR_FIELD_USER_DATA = 4, UCP_OP_ATTR_FIELD_DATATYPE = 8, UCP_OP_ATTR_FIELD_FLAGS = 16,
	UCP_OP_ATTR_FIELD_REPLY_BUFFER = 32, UCP_OP_ATTR_FLAG_NO_IMM_CMPL = 1 << 16, UCP_OP_ATTR_FLAG_MULTI_SEND = 1 << 19,
};
enum { UCP_REQUEST_ATTR_FIELD_INFO_STRING = 1, UCP_REQUEST_ATTR_FIELD_INFO_STRING_SIZE = 2 };
enum { UCP_AM_HANDLER_PARAM_FIELD_ID = 1, UCP_AM_HANDLER_PARAM_FIELD_FLAGS = 2, UCP_AM_HANDLER_PARAM_FIELD_CB = 4, UCP_AM_HANDLER_PARAM_FIELD_ARG = 8 };
enum { UCP_AM_FLAG_WHOLE_MSG = 1, UCP_AM_RECV_ATTR_FLAG_RNDV = 1 << 17 };
enum { UCP_DATATYPE_SHIFT = 3, UCP_DATATYPE_CONTIG = 0 };
#define ucp_dt_make_contig(bytes) ((ucp_datatype_t)(bytes) << UCP_DATATYPE_SHIFT | UCP_DATATYPE_CONTIG)

typedef struct {
	uint64_t field_mask;
	uint64_t features;
} ucp_params_t;

typedef struct {
	uint64_t field_mask;
	ucs_thread_mode_t thread_mode;
} ucp_worker_params_t;

typedef void (*ucp_err_handler_cb_t)(void *arg, ucp_ep_h ep, ucs_status_t status);

typedef struct {
	uint64_t field_mask;
	const ucp_address_t *address;
	ucp_err_handling_mode_t err_mode;
	struct { ucp_err_handler_cb_t cb; void *arg; } err_handler;
} ucp_ep_params_t;

typedef struct {
	uint64_t field_mask;
	void *address;
	size_t length;
	unsigned flags;
	unsigned prot;
	ucs_memory_type_t memory_type;
} ucp_mem_map_params_t;

typedef struct {
	uint64_t field_mask;
	void *address;
} ucp_mem_attr_t;

typedef struct {
	ucp_tag_t sender_tag;
	size_t length;
} ucp_tag_recv_info_t;

typedef struct {
	uint64_t recv_attr;
	ucp_ep_h reply_ep;
} ucp_am_recv_param_t;

typedef void (*ucp_send_nbx_callback_t)(void *request, ucs_status_t status, void *user_data);
typedef void (*ucp_tag_recv_nbx_callback_t)(void *request, ucs_status_t status, const ucp_tag_recv_info_t *info, void *user_data);
typedef void (*ucp_stream_recv_nbx_callback_t)(void *request, ucs_status_t status, size_t length, void *user_data);
typedef void (*ucp_am_recv_data_nbx_callback_t)(void *request, ucs_status_t status, size_t length, void *user_data);
typedef ucs_status_t (*ucp_am_recv_callback_t)(void *arg, const void *header, size_t header_length, void *data, size_t length,
	const ucp_am_recv_param_t *param);

typedef struct {
	uint32_t op_attr_mask;
	uint32_t flags;
	void *request;
	union {
		ucp_send_nbx_callback_t send;
		ucp_tag_recv_nbx_callback_t recv;
		ucp_stream_recv_nbx_callback_t recv_stream;
		ucp_am_recv_data_nbx_callback_t recv_am;
	} cb;
	ucp_datatype_t datatype;
	void *user_data;
	void *reply_buffer;
} ucp_request_param_t;

typedef struct {
	uint64_t field_mask;
	char *debug_string;
	size_t debug_string_size;
} ucp_request_attr_t;

typedef struct {
	uint64_t field_mask;
	unsigned id;
	uint32_t flags;
	ucp_am_recv_callback_t cb;
	void *arg;
} ucp_am_handler_param_t;

#endif
