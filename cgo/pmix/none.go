//go:build !cgo

package pmix

import "collbench/cgo/dl"

// Client is this process as a client of the launcher's PMIx server; without cgo there is none.
type Client struct{}

// Init fails: see dl.ErrNoCgo.
func Init() (*Client, error) { return nil, dl.ErrNoCgo }

// Rank is this process's rank.
func (c *Client) Rank() int { return 0 }

// Size fails: see dl.ErrNoCgo.
func (c *Client) Size() (int, error) { return 0, dl.ErrNoCgo }

// LocalRank fails: see dl.ErrNoCgo.
func (c *Client) LocalRank() (int, error) { return 0, dl.ErrNoCgo }

// LocalSize fails: see dl.ErrNoCgo.
func (c *Client) LocalSize() (int, error) { return 0, dl.ErrNoCgo }

// Put fails: see dl.ErrNoCgo.
func (c *Client) Put(string, []byte) error { return dl.ErrNoCgo }

// Fence fails: see dl.ErrNoCgo.
func (c *Client) Fence() error { return dl.ErrNoCgo }

// Get fails: see dl.ErrNoCgo.
func (c *Client) Get(int, string) ([]byte, error) { return nil, dl.ErrNoCgo }

// Finalize has nothing to do.
func (c *Client) Finalize() error { return nil }
