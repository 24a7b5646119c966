package launch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// file is an Exchange through a file that all ranks see. Rank 0 writes it, readable for its user alone, and removes
// it when all have joined.
type file struct {
	path string
	rank int
	made bool
}

func (f *file) Ports() []int   { return nil }
func (f *file) Secret() []byte { return nil }

// Close removes the file.
func (f *file) Close() error {
	if !f.made {
		return nil
	}
	f.made = false
	return os.Remove(f.path)
}

// Share waits until the file is there, and somebody where it says: what a job that was killed has left there is not rank 0's.
func (f *file) Share(ctx context.Context, mine Card) (Card, error) {
	if f.rank == 0 {
		return mine, f.write(mine)
	}
	for {
		card, err := f.read()
		if err == nil {
			err = somebodyAt(ctx, card.Addresses)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return Card{}, err
		}
		if err == nil {
			return card, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return Card{}, fmt.Errorf("waiting for rank 0's file %s: %w: %w", f.path, context.Cause(ctx), err)
		}
	}
}

// lookTime bounds how long is tried whether somebody is at an address.
const lookTime = 2 * time.Second

// somebodyAt says why nobody is at any of the addresses.
func somebodyAt(ctx context.Context, addresses []string) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	answers := make(chan error, len(addresses))
	for _, address := range addresses {
		go func() {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
			if err == nil {
				conn.Close() // the door takes no offence
			}
			answers <- err
		}()
	}
	var errs []error
	for range addresses {
		err := <-answers
		if err == nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// write puts the whole file in its place at once; what an older job has left there is gone with that.
func (f *file) write(card Card) error {
	text, err := card.Text()
	if err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(f.path), ".collbench-*") // mode 0600
	if err != nil {
		return fmt.Errorf("rendezvous file: %w", err)
	}
	_, err = fresh.WriteString(text)
	if err = errors.Join(err, fresh.Close()); err == nil {
		err = os.Rename(fresh.Name(), f.path)
	}
	if err != nil {
		os.Remove(fresh.Name())
		return fmt.Errorf("rendezvous file: %w", err)
	}
	f.made = true
	return nil
}

// read believes a file of the same user alone: what it says is where this process connects to.
func (f *file) read() (Card, error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return Card{}, fmt.Errorf("rendezvous file: %w", err)
	}
	defer opened.Close()
	info, err := opened.Stat()
	if err != nil {
		return Card{}, fmt.Errorf("rendezvous file: %w", err)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 || !info.Mode().IsRegular() {
		return Card{}, fmt.Errorf("rendezvous file %s: not this user's alone (mode %v)", f.path, info.Mode())
	}
	text := make([]byte, maxCard+1)
	n, _ := opened.Read(text)
	return ParseCard(string(text[:n]))
}
