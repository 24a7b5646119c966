// Our own declarations of the types of the PMIx standard that are in use, sizes and offsets as in PMIx 3, 4 and 5.
#ifndef COLLBENCH_PMIX_H
#define COLLBENCH_PMIX_H

#include <stddef.h>
#include <stdint.h>

typedef struct { char nspace[256]; uint32_t rank; } cb_proc;
typedef struct { char *bytes; size_t size; } cb_bytes;
typedef struct {
	uint16_t type;
	union {
		uint8_t flag;
		uint16_t u16;
		uint32_t u32;
		cb_bytes bytes;
		struct { char *a, *b; char c; } largest; // pmix_envar_t
	} data;
} cb_value;
typedef struct { char key[512]; uint32_t flags; cb_value value; } cb_info;

enum {
	CB_BOOL = 1, CB_UINT16 = 13, CB_UINT32 = 14, CB_BYTE_OBJECT = 27, // types
	CB_GLOBAL = 3,                                                    // scope
	CB_ERR_TYPE = -1000000                                            // ours: a value of another type
};
#define CB_RANK_WILDCARD (UINT32_MAX - 1)
#define CB_JOB_SIZE "pmix.job.size"
#define CB_LOCAL_RANK "pmix.lrank"
#define CB_LOCAL_SIZE "pmix.local.size"
#define CB_COLLECT_DATA "pmix.collect"

// The functions in use.
typedef struct {
	int (*init)(cb_proc *me, cb_info *info, size_t n);
	int (*finalize)(const cb_info *info, size_t n);
	int (*get)(const cb_proc *proc, const char *key, const cb_info *info, size_t n, cb_value **value);
	int (*put)(uint8_t scope, const char *key, cb_value *value);
	int (*commit)(void);
	int (*fence)(const cb_proc *procs, size_t nprocs, const cb_info *info, size_t n);
	const char *(*error_string)(int status);
} cb_pmix;

#endif
