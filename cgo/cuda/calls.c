#include "calls.h"

cb_cuda_table cb_cuda;

#define CB_SYMBOL(name, parameters, arguments) {#name, (void **)&cb_cuda.name},
cb_symbol cb_cuda_symbols[] = {CB_CUDA_CALLS(CB_SYMBOL)};
const int cb_cuda_symbol_count = sizeof cb_cuda_symbols / sizeof *cb_cuda_symbols;

#define CB_DEFINE(name, parameters, arguments) \
	CUresult cb_##name parameters { return cb_cuda.name != NULL ? cb_cuda.name arguments : CUDA_ERROR_NOT_INITIALIZED; }
CB_CUDA_CALLS(CB_DEFINE)

CUresult cb_launch_kernel(cb_launch *l) {
	void *parameters[] = {l->parameter};
	return cb_cuLaunchKernel(l->function, l->grid, 1, 1, l->block, 1, 1, l->shared, l->stream, parameters, NULL);
}
