package bench

import (
	"fmt"
	"sync/atomic"
)

// Stage is where in a case a node is.
type Stage int32

// The stages, in the order in which a case passes them.
const (
	StageIdle Stage = iota
	StageOpen
	StagePrepare
	StageWarmUp
	StageIterate
	StageVerify
	StageClose
)

var stageNames = [...]string{"idle", "open", "prepare", "warm-up", "iterate", "verify", "close"}

// String returns the stage's name, such as "iterate".
func (s Stage) String() string {
	if s < 0 || int(s) >= len(stageNames) {
		return fmt.Sprintf("stage(%d)", int32(s))
	}
	return stageNames[s]
}

// Progress is what the watchdog reads of a node while it works. The working thread writes it without locks.
type Progress struct {
	Stage     atomic.Int32 // a Stage
	Iteration atomic.Int64
	Round     atomic.Int64 // of the program, where the backend has one
	Waiting   atomic.Int64 // node waited for, plus 1; 0: none
}
