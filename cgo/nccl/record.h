// What the profiler plugin has seen, for Go to read.
#ifndef COLLBENCH_NCCL_RECORD_H
#define COLLBENCH_NCCL_RECORD_H

#include <stdint.h>

enum cb_event { CB_EVENT_COLL, CB_EVENT_P2P, CB_EVENT_COLL_API, CB_EVENT_P2P_API, CB_EVENT_COPY_ENGINE };

// One kind of operation, and how often it came.
typedef struct {
	uint32_t event;
	uint32_t channels;
	uint64_t count; // elements
	char function[24], datatype[24], algorithm[24], protocol[16];
} cb_operation_key;

typedef struct {
	uint32_t state; // 0 empty, 1 being written, 2 ready
	uint64_t times;
	cb_operation_key key;
} cb_operation_record;

#define CB_RECORDS 4096 // a power of 2

extern cb_operation_record cb_records[CB_RECORDS];
extern uint64_t cb_records_lost;     // operations for which there was no room
extern int cb_profiler_version;      // that of the library which has called us; 0: none has
extern int cb_profiler_communicators; // that have begun and not ended

uint64_t cb_record_times(int i); // how often; 0: nothing there
void cb_records_clear(void);

#endif
