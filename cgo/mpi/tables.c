#include "mpi.h"

enum { OPTIONAL, REQUIRED };

static const struct { const char *name; int need; } calls[] = {
#define CALL(need, name, args) {"MPI_" #name, need},
#include "calls.h"
#undef CALL
};

static const struct { const char *symbol; uintptr_t number; } handles[] = {
#define HANDLE(name, standard, symbol, number) {#symbol, number},
#include "handles.h"
#undef HANDLE
};

const char *cb_call_name(int i) { return calls[i].name; }
int cb_call_required(int i) { return calls[i].need; }
const char *cb_handle_symbol(int i) { return handles[i].symbol; }
uintptr_t cb_handle_number(int i) { return handles[i].number; }
