// Our own declarations of what is in use of MPI. Two ABIs are known: Open MPI's, whose handles are addresses of its symbols, and
// MPICH's (also Intel MPI, MVAPICH, Cray), whose handles are numbers. openmpi.c and mpich.c are abi.h for each of them.
#ifndef COLLBENCH_MPI_H
#define COLLBENCH_MPI_H

#include <stdint.h>

enum {
#define CALL(need, name, args) CB_CALL_##name,
#include "calls.h"
#undef CALL
	CB_CALLS
};

enum {
#define HANDLE(name, standard, symbol, number) name,
#include "handles.h"
#undef HANDLE
	CB_HANDLES
};

enum { CB_FUNNELED = 1, CB_TEXT = 8192 }; // MPI_THREAD_FUNNELED; the longest text of any of them
#define CB_OPENMPI_IN_PLACE ((void *)1)
#define CB_OPENMPI_IGNORE ((void *)0) // MPI_STATUS_IGNORE, MPI_STATUSES_IGNORE
#define CB_MPICH_IN_PLACE ((void *)-1)
#define CB_MPICH_IGNORE ((void *)1)

// A library: its functions by CB_CALL_…, its handles by CB_… as addresses or numbers. What it lacks is 0.
typedef struct {
	void *calls[CB_CALLS];
	void *handles[CB_HANDLES];
} cb_mpi;

// What an iteration does, in the order of Kind.
enum {
	CB_ALL_REDUCE, CB_ALL_GATHER, CB_REDUCE_SCATTER, CB_BROADCAST, CB_REDUCE, CB_ALL_TO_ALL, CB_GATHER, CB_SCATTER, CB_SHIFT,
	CB_IDLE,      // nothing
	CB_PING,      // send a message, receive one
	CB_PONG,      // receive a message, send one
	CB_FLOOD,     // send a window of messages at once, receive a byte
	CB_SWALLOW,   // receive a window of messages at once, send a byte
	CB_BOTH_WAYS, // receive and send a window of messages at once
};

typedef struct {
	int kind, type, op; // type and op: CB_FLOAT …, CB_SUM …
	char *in, *out;     // in NULL: in place; a collective's whole buffers as collectives.Contract has them
	int count;          // elements of the buffer, or of one rank's block, or of a message
	long block;         // bytes of one rank's block
	int root, rank, ranks;
	int peer, window;   // of a point-to-point test
	void *requests;     // room for 2 × window handles
} cb_job;

#define CB_DECLARE(abi) \
	int abi##_init(cb_mpi *m, int *rank, int *size); \
	int abi##_finalize(cb_mpi *m); \
	int abi##_version(cb_mpi *m, char *text, int *length); \
	int abi##_error(cb_mpi *m, int code, char *text, int *length); \
	int abi##_broadcast(cb_mpi *m, void *bytes, int count, int root); \
	int abi##_barrier(cb_mpi *m); \
	int abi##_probe(cb_mpi *m, int type, void *in, void *inout); \
	int abi##_run(cb_mpi *m, cb_job *j, long iterations, int64_t *progress, double *seconds); \
	int abi##_variable(cb_mpi *m, const char *name, char *value, char *meaning); \
	int abi##_set(cb_mpi *m, const char *name, int value);
CB_DECLARE(cb_openmpi)
CB_DECLARE(cb_mpich)

const char *cb_call_name(int i);
int cb_call_required(int i);
const char *cb_handle_symbol(int i);
uintptr_t cb_handle_number(int i);

#endif
