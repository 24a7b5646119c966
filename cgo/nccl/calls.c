#include "calls.h"

cb_nccl_table cb_nccl;

#define CB_SYMBOL(optional, name, parameters, arguments) {#name, (void **)&cb_nccl.name, optional},
cb_nccl_symbol cb_nccl_symbols[] = {CB_NCCL_CALLS(CB_SYMBOL) CB_NCCL_TEXTS(CB_SYMBOL)};
const int cb_nccl_symbol_count = sizeof cb_nccl_symbols / sizeof *cb_nccl_symbols;

#define CB_DEFINE(optional, name, parameters, arguments) \
	ncclResult_t cb_##name parameters { return cb_nccl.name != NULL ? cb_nccl.name arguments : ncclInvalidUsage; }
CB_NCCL_CALLS(CB_DEFINE)

const char *cb_nccl_error(ncclResult_t result) { return cb_nccl.ncclGetErrorString != NULL ? cb_nccl.ncclGetErrorString(result) : NULL; }

const char *cb_nccl_last_error(ncclComm_t comm) { return cb_nccl.ncclGetLastError != NULL ? cb_nccl.ncclGetLastError(comm) : NULL; }
