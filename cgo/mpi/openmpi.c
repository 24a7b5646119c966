// Open MPI, HPC-X: handles are addresses.
typedef void *cb_comm, *cb_type, *cb_op, *cb_request, *cb_handler;
#define ABI(name) cb_openmpi_##name
#define IN_PLACE CB_OPENMPI_IN_PLACE
#define IGNORE CB_OPENMPI_IGNORE
#include "abi.h"
