// A libcuda.so.1 and libnccl.so.2 in one whose functions do nothing and succeed, unless fake.c has them.
#include "../../loop.h"

#define CUDA_DEFAULT(name, parameters, arguments) __attribute__((weak)) CUresult name parameters { return CUDA_SUCCESS; }
CB_CUDA_CALLS(CUDA_DEFAULT)

#define NCCL_DEFAULT(optional, name, parameters, arguments) __attribute__((weak)) ncclResult_t name parameters { return ncclSuccess; }
CB_NCCL_CALLS(NCCL_DEFAULT)
