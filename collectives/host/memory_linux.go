package host

import "golang.org/x/sys/unix"

// Memory gets zeroed memory that starts on a page of its own and takes no room until it is touched.
func Memory(bytes int) (b []byte, free func(), err error) {
	b, err = unix.Mmap(-1, 0, bytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil {
		return nil, nil, err
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // a favour that may be refused
	return b, func() { _ = unix.Munmap(b) }, nil
}
