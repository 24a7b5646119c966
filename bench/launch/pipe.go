package launch

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// pipePrefix begins a rendezvous through a pipe.
const pipePrefix = "fd:"

// pipe is an Exchange through the launcher that started this rank (bench/start): rank 0 writes its card, a line, into
// the pipe that it was given, the others read it from theirs.
type pipe struct {
	file *os.File
	rank int
}

// openPipe takes over the inherited file with the number.
func openPipe(number string, rank int) (Exchange, error) {
	fd, err := strconv.Atoi(number)
	var status syscall.Stat_t
	if err != nil || fd < 3 || syscall.Fstat(fd, &status) != nil || status.Mode&syscall.S_IFMT != syscall.S_IFIFO {
		return nil, fmt.Errorf("%s=%s%s: want the number of a pipe that the launcher has opened", rendezvousVariable, pipePrefix, number)
	}
	syscall.CloseOnExec(fd) // it is this process's: workers must not hold it open
	return &pipe{os.NewFile(uintptr(fd), "rendezvous"), rank}, nil
}

func (p *pipe) Ports() []int   { return nil }
func (p *pipe) Secret() []byte { return nil }
func (p *pipe) Close() error   { return p.file.Close() }

// Share gives up when ctx ends.
func (p *pipe) Share(ctx context.Context, mine Card) (Card, error) {
	if p.rank == 0 {
		text, err := mine.Text()
		if err == nil {
			_, err = io.WriteString(p.file, text+"\n")
		}
		return mine, err
	}
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(io.LimitReader(p.file, maxCard+1)).ReadString('\n')
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		if errors.Is(a.err, io.EOF) {
			return Card{}, errors.New("rank 0 or the launcher ended before it told where it is")
		}
		if a.err != nil {
			return Card{}, fmt.Errorf("the launcher's pipe: %w", a.err)
		}
		return ParseCard(strings.TrimSuffix(a.line, "\n"))
	case <-ctx.Done():
		return Card{}, fmt.Errorf("waiting for rank 0's card from the launcher: %w", context.Cause(ctx))
	}
}
