//go:build cgo

package pmix

/*
#include <stdlib.h>
#include "pmix.h"
int cb_number(cb_pmix *p, const cb_proc *me, uint32_t rank, const char *key, uint32_t *number);
int cb_put(cb_pmix *p, const char *key, void *bytes, size_t size);
int cb_fence(cb_pmix *p, const cb_proc *me);
int cb_take(cb_pmix *p, const cb_proc *me, uint32_t rank, const char *key, void *into, size_t *size);
int cb_init(cb_pmix *p, cb_proc *me);
int cb_finalize(cb_pmix *p);
const char *cb_error(cb_pmix *p, int status);
*/
import "C"

import (
	"fmt"
	"unsafe"

	"collbench/cgo/dl"
)

// Client is this process as a client of the launcher's PMIx server.
type Client struct {
	lib   *dl.Library
	calls *C.cb_pmix
	me    *C.cb_proc
}

// Init opens the library and joins the job. Outside of a launcher it fails. Its error says what the loader, or the
// library, said.
func Init() (*Client, error) {
	lib, err := dl.Open(libraries()...)
	if err != nil {
		return nil, fmt.Errorf("PMIx library: %w", err)
	}
	c := &Client{lib: lib, calls: (*C.cb_pmix)(C.calloc(1, C.sizeof_cb_pmix)), me: (*C.cb_proc)(C.calloc(1, C.sizeof_cb_proc))}
	for _, s := range []struct {
		name string
		slot unsafe.Pointer
	}{
		{"PMIx_Init", unsafe.Pointer(&c.calls.init)}, {"PMIx_Finalize", unsafe.Pointer(&c.calls.finalize)},
		{"PMIx_Get", unsafe.Pointer(&c.calls.get)}, {"PMIx_Put", unsafe.Pointer(&c.calls.put)},
		{"PMIx_Commit", unsafe.Pointer(&c.calls.commit)}, {"PMIx_Fence", unsafe.Pointer(&c.calls.fence)},
		{"PMIx_Error_string", unsafe.Pointer(&c.calls.error_string)},
	} {
		address, err := lib.Symbol(s.name)
		if err != nil {
			return nil, fmt.Errorf("PMIx library: %w", err)
		}
		*(*unsafe.Pointer)(s.slot) = address
	}
	// The library stays open: it has threads of its own.
	return c, c.check("PMIx_Init", C.cb_init(c.calls, c.me))
}

func (c *Client) check(call string, status C.int) error {
	if status == 0 {
		return nil
	}
	return fmt.Errorf("%s (%s): %s (%d)", call, c.lib.Name(), C.GoString(C.cb_error(c.calls, status)), int(status))
}

func (c *Client) number(rank C.uint32_t, key string) (int, error) {
	text := C.CString(key)
	defer C.free(unsafe.Pointer(text))
	var n C.uint32_t
	err := c.check("PMIx_Get of "+key, C.cb_number(c.calls, c.me, rank, text, &n))
	return int(n), err
}

// Rank is this process's rank.
func (c *Client) Rank() int { return int(c.me.rank) }

// Size is the number of processes in the job.
func (c *Client) Size() (int, error) { return c.number(C.CB_RANK_WILDCARD, C.CB_JOB_SIZE) }

// LocalRank is this process's place among those of the job on this host, as the launcher counts.
func (c *Client) LocalRank() (int, error) { return c.number(c.me.rank, C.CB_LOCAL_RANK) }

// LocalSize is the number of processes of the job on this host.
func (c *Client) LocalSize() (int, error) { return c.number(C.CB_RANK_WILDCARD, C.CB_LOCAL_SIZE) }

// Put offers bytes to all processes; they are there after the next Fence.
func (c *Client) Put(key string, value []byte) error {
	text, bytes := C.CString(key), C.CBytes(value)
	defer C.free(unsafe.Pointer(text))
	defer C.free(bytes)
	return c.check("PMIx_Put", C.cb_put(c.calls, text, bytes, C.size_t(len(value))))
}

// Fence waits for all processes of the job.
func (c *Client) Fence() error { return c.check("PMIx_Fence", C.cb_fence(c.calls, c.me)) }

// maxValue bounds what Get takes, in bytes.
const maxValue = 1 << 16

// Get returns what the process with the rank has put.
func (c *Client) Get(rank int, key string) ([]byte, error) {
	text, into := C.CString(key), C.malloc(maxValue)
	defer C.free(unsafe.Pointer(text))
	defer C.free(into)
	size := C.size_t(maxValue)
	if err := c.check("PMIx_Get", C.cb_take(c.calls, c.me, C.uint32_t(rank), text, into, &size)); err != nil {
		return nil, err
	}
	return C.GoBytes(into, C.int(size)), nil
}

// Finalize leaves the job. A launcher takes a process that ends without it for one that has failed.
func (c *Client) Finalize() error { return c.check("PMIx_Finalize", C.cb_finalize(c.calls)) }
