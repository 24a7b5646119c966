// Stands for NCCL's loading of plugins: a library, or with STATIC_PLUGIN the program itself. For tests only.
#pragma once

#include "nccl.h"

namespace softgpu {

// find_plugin looks for symbols prefix+"newest", prefix+"newest-1", … down to oldest in the plugin that the variable
// names; it's nullptr without one. found is the number of the symbol.
void *find_plugin(const char *variable, const char *fallback, const char *prefix, int newest, int oldest, int *found);

} // namespace softgpu
