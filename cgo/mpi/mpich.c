// MPICH, Intel MPI, MVAPICH, Cray: handles are numbers.
typedef int cb_comm, cb_type, cb_op, cb_request, cb_handler;
#define ABI(name) cb_mpich_##name
#define IN_PLACE CB_MPICH_IN_PLACE
#define IGNORE CB_MPICH_IGNORE
#include "abi.h"
