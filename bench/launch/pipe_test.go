package launch

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inherited is one end of a pipe under a number of its own, as a rank gets it; closing the rank's does not close f.
func inherited(t *testing.T, f *os.File) string {
	t.Helper()
	fd, err := syscall.Dup(int(f.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(fd)
}

// TestPipe: rank 0's card goes through the pipe, and every way in which it may not come is an error in time.
func TestPipe(t *testing.T) {
	card := Card{Secret: []byte("0123456789abcdef"), Addresses: []string{"10.0.0.1:4000", "[::1]:4000"}}
	for _, c := range []struct {
		name, want string
		text       string // what the launcher passes on; "": rank 0's card
		open       bool   // the launcher does not close the pipe
	}{
		{"card", "", "", true},
		{"end", "rank 0 or the launcher ended", "\x00", false},
		{"half a card", "rank 0 or the launcher ended", "collbench1;00", false},
		{"garbage", "is none of this version", "hello\n", true},
		{"endless", "rank 0 or the launcher ended", strings.Repeat("x", 2*maxCard), true},
		{"nothing", "waiting for rank 0's card", "\x00", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer read.Close()
			defer write.Close()
			if c.text == "" {
				zero, err := Open(t.Context(), &World{Launcher: "collbench", Size: 2, LocalRank: -1}, Variables{rendezvousVariable: "fd:" + inherited(t, write)})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := zero.Share(t.Context(), card); err != nil {
					t.Fatal(err)
				}
				zero.Close()
			} else {
				write.WriteString(strings.Trim(c.text, "\x00"))
			}
			if !c.open {
				write.Close()
			}
			one, err := openPipe(inherited(t, read), 1)
			if err != nil {
				t.Fatal(err)
			}
			defer one.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			got, err := one.Share(ctx, Card{})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if c.want == "" && (string(got.Secret) != string(card.Secret) || len(got.Addresses) != 2) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestPipeIsRefused(t *testing.T) {
	file, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, number := range []string{"", "x", "-1", "1", "99999", fmt.Sprint(file.Fd())} {
		if _, err := openPipe(number, 1); err == nil || !strings.Contains(err.Error(), "want the number of a pipe") {
			t.Errorf("%q: %v", number, err)
		}
	}
}
