#include "pmix.h"

#include <stdlib.h>
#include <string.h>

// cb_number gets a whole number of the process with the rank, or of the job if the rank is the wildcard.
int cb_number(cb_pmix *p, const cb_proc *me, uint32_t rank, const char *key, uint32_t *number) {
	cb_proc of = *me;
	of.rank = rank;
	cb_value *v = NULL;
	int rc = p->get(&of, key, NULL, 0, &v);
	if (rc != 0 || v == NULL)
		return rc != 0 ? rc : CB_ERR_TYPE;
	switch (v->type) {
	case CB_UINT16: *number = v->data.u16; break;
	case CB_UINT32: *number = v->data.u32; break;
	default: rc = CB_ERR_TYPE;
	}
	if (rc == 0)
		free(v); // of any other type it may own more: it stays
	return rc;
}

int cb_put(cb_pmix *p, const char *key, void *bytes, size_t size) {
	cb_value v;
	memset(&v, 0, sizeof v);
	v.type = CB_BYTE_OBJECT;
	v.data.bytes.bytes = bytes;
	v.data.bytes.size = size;
	int rc = p->put(CB_GLOBAL, key, &v);
	return rc != 0 ? rc : p->commit();
}

// cb_fence waits for all processes of the job and brings what they have put to all of them.
int cb_fence(cb_pmix *p, const cb_proc *me) {
	cb_proc all = *me;
	all.rank = CB_RANK_WILDCARD;
	cb_info *info = calloc(1, sizeof *info);
	if (info == NULL)
		return CB_ERR_TYPE;
	strcpy(info->key, CB_COLLECT_DATA);
	info->value.type = CB_BOOL;
	info->value.data.flag = 1;
	int rc = p->fence(&all, 1, info, 1);
	free(info);
	return rc;
}

// cb_take gets what a process has put, at most so many bytes.
int cb_take(cb_pmix *p, const cb_proc *me, uint32_t rank, const char *key, void *into, size_t *size) {
	cb_proc of = *me;
	of.rank = rank;
	cb_value *v = NULL;
	int rc = p->get(&of, key, NULL, 0, &v);
	if (rc != 0 || v == NULL)
		return rc != 0 ? rc : CB_ERR_TYPE;
	if (v->type != CB_BYTE_OBJECT || v->data.bytes.size > *size)
		return CB_ERR_TYPE;
	*size = v->data.bytes.size;
	memcpy(into, v->data.bytes.bytes, *size);
	free(v->data.bytes.bytes);
	free(v);
	return 0;
}

int cb_init(cb_pmix *p, cb_proc *me) { return p->init(me, NULL, 0); }

int cb_finalize(cb_pmix *p) { return p->finalize(NULL, 0); }

const char *cb_error(cb_pmix *p, int status) {
	return status == CB_ERR_TYPE ? "a value of an unexpected type or size" : p->error_string(status);
}
