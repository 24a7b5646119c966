// One module with all kernels.
#include "fill.cu"
#include "verify.cu"
#include "reduce.cu"
#include "copy.cu"
