package host

import (
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// systemLimit is the most that an unprivileged process may ask for a socket's send or receive buffer, in bytes; 0
// where that is not to be read.
func systemLimit(option int) int {
	file := "/proc/sys/net/core/wmem_max"
	if option == unix.SO_RCVBUF {
		file = "/proc/sys/net/core/rmem_max"
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0
	}
	return n
}
