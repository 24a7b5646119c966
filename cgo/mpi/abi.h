// The calls for one ABI. Whoever includes this has named its types of handles, IN_PLACE, IGNORE and ABI.
#include "mpi.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

typedef void cb_status, *cb_enum, *cb_cvar;

typedef struct {
#define CALL(need, name, args) int (*name) args;
#include "calls.h"
#undef CALL
} calls;

_Static_assert(sizeof(calls) == sizeof(((cb_mpi *)0)->calls), "a function pointer is no pointer");

#define CALLS(m) ((const calls *)(m)->calls)
#define GET(m, kind, i) ((kind)(uintptr_t)(m)->handles[i])
#define WORLD(m) GET(m, cb_comm, CB_COMM_WORLD)

// Errors come back instead of ending the process; those of calls without a communicator are COMM_SELF's (MPI 4).
int ABI(init)(cb_mpi *m, int *rank, int *size) {
	const calls *c = CALLS(m);
	int flag = 0, rc = c->Initialized(&flag);
	if (rc == 0 && !flag)
		rc = c->Init_thread(NULL, NULL, CB_FUNNELED, &flag);
	if (rc == 0)
		rc = c->Comm_set_errhandler(WORLD(m), GET(m, cb_handler, CB_ERRORS_RETURN));
	if (rc == 0)
		rc = c->Comm_set_errhandler(GET(m, cb_comm, CB_COMM_SELF), GET(m, cb_handler, CB_ERRORS_RETURN));
	if (rc == 0)
		rc = c->Comm_rank(WORLD(m), rank);
	return rc == 0 ? c->Comm_size(WORLD(m), size) : rc;
}

int ABI(finalize)(cb_mpi *m) { return CALLS(m)->Finalize(); }

int ABI(version)(cb_mpi *m, char *text, int *length) { return CALLS(m)->Get_library_version(text, length); }

int ABI(error)(cb_mpi *m, int code, char *text, int *length) { return CALLS(m)->Error_string(code, text, length); }

int ABI(barrier)(cb_mpi *m) { return CALLS(m)->Barrier(WORLD(m)); }

int ABI(broadcast)(cb_mpi *m, void *bytes, int count, int root) {
	return CALLS(m)->Bcast(bytes, count, GET(m, cb_type, CB_CHAR), root, WORLD(m));
}

// probe adds in to inout, one element of the type, if the type has a name: MPICH leaves the name of a type that it was built
// without empty, and ends the process when it is to compute with it.
int ABI(probe)(cb_mpi *m, int type, void *in, void *inout) {
	const calls *c = CALLS(m);
	char name[CB_TEXT] = "";
	int length = 0, rc = c->Type_get_name(GET(m, cb_type, type), name, &length);
	if (rc != 0 || name[0] == 0)
		return rc;
	return c->Reduce_local(in, inout, 1, GET(m, cb_type, type), GET(m, cb_op, CB_SUM));
}

static int window(const calls *c, cb_comm world, cb_type type, const cb_job *j) {
	cb_request *requests = j->requests;
	int n = 0, rc = 0;
	if (j->kind != CB_FLOOD)
		for (int i = 0; i < j->window && rc == 0; i++)
			rc = c->Irecv(j->out, j->count, type, j->peer, 0, world, &requests[n++]);
	if (j->kind != CB_SWALLOW)
		for (int i = 0; i < j->window && rc == 0; i++)
			rc = c->Isend(j->in, j->count, type, j->peer, 0, world, &requests[n++]);
	return rc == 0 ? c->Waitall(n, requests, IGNORE) : rc;
}

static int once(const cb_mpi *m, const calls *c, const cb_job *j) {
	cb_comm world = WORLD(m);
	cb_type type = GET(m, cb_type, j->type);
	cb_op op = GET(m, cb_op, j->op);
	int root = j->rank == j->root, n = j->count, next, before, rc;
	char *in = j->in, *out = j->out, *my_in = in + j->rank * j->block, *my_out = out + j->rank * j->block;
	char ack = 0;
	switch (j->kind) {
	case CB_ALL_REDUCE:
		return c->Allreduce(in != NULL ? in : IN_PLACE, out, n, type, op, world);
	case CB_ALL_GATHER:
		return c->Allgather(in != NULL ? my_in : IN_PLACE, n, type, out, n, type, world);
	case CB_REDUCE_SCATTER: // in place the block ends at the beginning of the buffer
		return in != NULL ? c->Reduce_scatter_block(in, my_out, n, type, op, world) : c->Reduce_scatter_block(IN_PLACE, out, n, type, op, world);
	case CB_BROADCAST: // the root has one buffer
		return c->Bcast(root && in != NULL ? in : out, n, type, j->root, world);
	case CB_REDUCE:
		return c->Reduce(in != NULL ? in : root ? IN_PLACE : out, out, n, type, op, j->root, world);
	case CB_ALL_TO_ALL:
		return c->Alltoall(in != NULL ? in : IN_PLACE, n, type, out, n, type, world);
	case CB_GATHER:
		return c->Gather(in != NULL ? my_in : root ? IN_PLACE : my_out, n, type, out, n, type, j->root, world);
	case CB_SCATTER:
		return c->Scatter(in != NULL ? in : out, n, type, in == NULL && root ? IN_PLACE : my_out, n, type, j->root, world);
	case CB_SHIFT:
		next = (j->rank + 1) % j->ranks;
		before = (j->rank + j->ranks - 1) % j->ranks;
		if (in == NULL)
			return c->Sendrecv_replace(out, n, type, next, 0, before, 0, world, IGNORE);
		return c->Sendrecv(in, n, type, next, 0, out, n, type, before, 0, world, IGNORE);
	case CB_PING:
		rc = c->Send(in, n, type, j->peer, 0, world);
		return rc == 0 ? c->Recv(out, n, type, j->peer, 0, world, IGNORE) : rc;
	case CB_PONG:
		rc = c->Recv(out, n, type, j->peer, 0, world, IGNORE);
		return rc == 0 ? c->Send(in, n, type, j->peer, 0, world) : rc;
	case CB_FLOOD:
		rc = window(c, world, type, j);
		return rc == 0 ? c->Recv(&ack, 1, GET(m, cb_type, CB_CHAR), j->peer, 1, world, IGNORE) : rc;
	case CB_SWALLOW:
		rc = window(c, world, type, j);
		return rc == 0 ? c->Send(&ack, 1, GET(m, cb_type, CB_CHAR), j->peer, 1, world) : rc;
	case CB_BOTH_WAYS:
		return window(c, world, type, j);
	}
	return 0; // CB_IDLE
}

// run waits for all ranks and then makes so many iterations back to back: their seconds altogether. The number of each is
// where the watchdog sees it.
int ABI(run)(cb_mpi *m, cb_job *j, long iterations, int64_t *progress, double *seconds) {
	const calls *c = CALLS(m);
	struct timespec from, to;
	int64_t first = *progress;
	int rc = c->Barrier(WORLD(m));
	if (rc != 0)
		return rc;
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (long i = 0; i < iterations; i++) {
		if ((rc = once(m, c, j)) != 0)
			return rc;
		__atomic_store_n(progress, first + i + 1, __ATOMIC_RELAXED);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	*seconds = (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
	return 0;
}

// name_of writes the name that an enumeration has for a value.
static void name_of(const calls *c, cb_enum values, int value, char *meaning) {
	char title[CB_TEXT];
	int count = 0, length = sizeof title;
	if (values == NULL || c->T_enum_get_info == NULL || c->T_enum_get_item == NULL || c->T_enum_get_info(values, &count, title, &length) != 0)
		return;
	for (int i = 0; i < count; i++) {
		int v = 0;
		length = CB_TEXT;
		if (c->T_enum_get_item(values, i, &v, meaning, &length) == 0 && v == value)
			return;
	}
	meaning[0] = 0;
}

static int read_variable(const cb_mpi *m, const calls *c, int index, char *value, char *meaning) {
	char name[CB_TEXT], text[CB_TEXT];
	int name_length = CB_TEXT, text_length = CB_TEXT, verbosity, bind, scope, count = 0, size = 0;
	cb_type type;
	cb_enum values = NULL;
	cb_cvar handle;
	int rc = c->T_cvar_get_info(index, name, &name_length, &verbosity, &type, &values, text, &text_length, &bind, &scope);
	if (rc == 0)
		rc = c->T_cvar_handle_alloc(index, NULL, &handle, &count);
	if (rc != 0)
		return rc;
	union { char text[CB_TEXT]; int number; long long large; } v = {{0}};
	if (count > CB_TEXT / 8)
		rc = -1;
	if (rc == 0)
		rc = c->T_cvar_read(handle, v.text);
	if (rc == 0)
		rc = c->Type_size(type, &size);
	c->T_cvar_handle_free(&handle);
	if (rc != 0)
		return rc;
	if (type == GET(m, cb_type, CB_CHAR)) {
		v.text[CB_TEXT - 1] = 0;
		strcpy(value, v.text);
		return 0;
	}
	long long number = size == 8 ? v.large : size == 1 ? v.text[0] : v.number;
	snprintf(value, CB_TEXT, "%lld", number);
	name_of(c, values, (int)number, meaning);
	return 0;
}

// find gives the index of a control variable; whether there is one.
static int find(const calls *c, const char *name, int *index) {
	int provided;
	return c->T_init_thread != NULL && c->T_cvar_get_index != NULL && c->T_cvar_get_info != NULL && c->T_cvar_handle_alloc != NULL &&
		c->T_cvar_read != NULL && c->T_cvar_write != NULL && c->T_cvar_handle_free != NULL &&
		c->T_init_thread(CB_FUNNELED, &provided) == 0 && c->T_cvar_get_index(name, index) == 0;
}

// variable reads a control variable of MPI_T: its value, and what that is called where the library has a name for it. −1 means
// that there is none.
int ABI(variable)(cb_mpi *m, const char *name, char *value, char *meaning) {
	const calls *c = CALLS(m);
	int index;
	value[0] = meaning[0] = 0;
	return find(c, name, &index) && read_variable(m, c, index, value, meaning) == 0 ? 0 : -1;
}

// set writes a control variable that is a number. −1 means that there is none that can be written.
int ABI(set)(cb_mpi *m, const char *name, int value) {
	const calls *c = CALLS(m);
	cb_cvar handle;
	int index, count = 0;
	if (!find(c, name, &index) || c->T_cvar_handle_alloc(index, NULL, &handle, &count) != 0)
		return -1;
	int rc = count == 1 ? c->T_cvar_write(handle, &value) : -1;
	c->T_cvar_handle_free(&handle);
	return rc == 0 ? 0 : -1;
}
