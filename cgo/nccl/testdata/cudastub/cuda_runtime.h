// What nccl.h takes of the CUDA runtime's headers, so that it can be read without them.
#pragma once
#include <stddef.h>
#define CUDART_VERSION 12090
#define __CUDA_BF16_TYPES_EXIST__
#define __CUDA_FP8_TYPES_EXIST__
typedef struct CUstream_st *cudaStream_t;
typedef struct CUevent_st *cudaEvent_t;
