#include "calls.h"

cb_ucx_table cb_ucx;

#define CB_SYMBOL(result, name, parameters) {#name, (void **)&cb_ucx.name},
cb_ucx_symbol cb_ucx_symbols[] = {CB_UCX_CALLS(CB_SYMBOL) CB_UCS_CALLS(CB_SYMBOL)};
const int cb_ucx_symbol_count = sizeof cb_ucx_symbols / sizeof *cb_ucx_symbols;
