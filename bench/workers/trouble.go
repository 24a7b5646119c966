package workers

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"collbench/bench"
)

// TroubleVariable is the environment variable that plants trouble in a worker, for tests of the watchdog:
// "kind=kill,node=3,stage=verify,team=1" has node 3 of the first team die when it enters the stage. The kinds: kill and
// stop (signals to itself) and sleep (for an hour).
const TroubleVariable = "COLLBENCH_TEST_TROUBLE"

// trouble is what is planted.
type trouble struct {
	kind       string
	node, team int
	stage      string
}

// parseTrouble reads the value of TroubleVariable; nil if it is empty.
func parseTrouble(value string) (*trouble, error) {
	if value == "" {
		return nil, nil
	}
	t := &trouble{team: 1}
	for field := range strings.SplitSeq(value, ",") {
		key, text, _ := strings.Cut(field, "=")
		var err error
		switch key {
		case "kind":
			t.kind = text
		case "stage":
			t.stage = text
		case "node":
			t.node, err = strconv.Atoi(text)
		case "team":
			t.team, err = strconv.Atoi(text)
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", TroubleVariable, err)
		}
	}
	return t, nil
}

// strike carries the trouble out, if this is the node, the team and the stage.
func (t *trouble) strike(g *group, s bench.Stage) {
	if t == nil || t.node != int(g.seat.Node) || t.team != g.Team || t.stage != s.String() {
		return
	}
	switch t.kind {
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "stop":
		syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
	time.Sleep(time.Hour) // a signal may take a moment to reach this thread
}
