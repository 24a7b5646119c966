package formats

import (
	"fmt"
	"regexp"
	"strings"

	"collbench/bench"
)

// failure is a kind of message by which a launcher, a library or the system says that a run has failed.
type failure struct {
	words     []string // one of which the message holds
	paragraph bool     // the message goes on to the next empty line
	weak      bool     // before a run's first row, or after its last line, it is a grumble: the run was not hurt
}

// failures are in the order of how much they tell of the cause: of a run's messages the first here is its error.
var failures = []failure{
	{words: []string{"There are not enough slots available"}, paragraph: true},
	{words: []string{"Test NCCL failure", "Test CUDA failure", "Test HIP failure", "Test RCCL failure"}},
	{words: []string{"Signal: ", "egmentation fault", "Bus error", "loating point exception"}},
	{words: []string{"ompletion with error", "ompletion with status error", "Failed status "}, paragraph: true},
	{words: []string{"Couldn't connect to", "Unable to init the socket connection", "Unable to find the Infiniband", "did not detect devices"}, weak: true},
	{words: []string{"CUDA error", "CUDA failure", "cudaError", "HIP failure", "CUDA_ERROR_", "out of memory", "Out of memory", "Out Of Memory", "oom_kill", "oom-kill"}},
	{words: []string{"Invalid number of GPUs", "no CUDA-capable device"}},
	{words: []string{"error while loading shared libraries", "symbol lookup error", "command not found", "o such file or directory",
		"Permission denied", "failed to launch", "Executable not found"}, weak: true},
	{words: []string{"nable to allocate", "nable to create", "nable to start", "nable to launch", "could not be executed", "could not be launched",
		"could not be started", "was unable to find", "was unable to launch", "was unable to start"}, weak: true},
	{words: []string{"ORTE_ERROR", "PMIX ERROR", "PMIx_Init failed", "UCX  ERROR", "UCC  ERROR"}, weak: true},
	{words: []string{"Fatal error in", "MPI_ABORT was invoked", "An error occurred in MPI_", "MPI_ERRORS_ARE_FATAL"}},
	{words: []string{"DUE TO TIME LIMIT", "DUE TO NODE FAILURE", "DUE TO PREEMPTION", "DUE TO TASK FAILURE", "*** STEP ", "*** JOB ",
		"Job timed out", "timed out after"}},
	{words: []string{"BAD TERMINATION", "mpirun noticed that process", "exited on signal", "xited with exit code", "exited with code"}},
	{words: []string{"Test failure ", "Failed to complete", "Assertion ", "terminate called after throwing", "core dumped", "forrtl: severe", "forrtl: error"}},
	{words: []string{"1 process returned", "non-zero exit code", "non-zero status", "job has been aborted", "job aborted"}},
	{words: []string{"srun: error:", "slurmstepd: error:", "mpirun: error", "mpiexec: error"}},
	{words: []string{"ERROR: ", "Error: ", "COMMUNICATION ERROR"}, weak: true},
}

// in says whether the text holds such a message.
func (f failure) in(text string) bool {
	for _, w := range f.words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// harmless are lines that read like a failure but are none.
var harmless = regexp.MustCompile(`NCCL (INFO|TRACE|VERSION|WARN)|\(ignored\)|^\+ |^\$ |[$#] (mpirun|srun)|errors? *[:=] *0\b`)

// cause finds the line among some that tells most about a failure, and its message. Weak messages count from the line
// of that number on.
func cause(lines []Line, from int) (line Line, message string, found bool) {
	best := len(failures)
	at := 0
	for i, l := range lines {
		if l.Text == "" || l.Text[0] == '#' || l.Text[0] == '|' || l.Text[0] >= '0' && l.Text[0] <= '9' {
			continue // a comment or a row
		}
		for rank, f := range failures[:best] {
			if f.in(l.Text) && !(f.weak && l.Number < from) && !harmless.MatchString(l.Text) {
				best, at = rank, i
				break
			}
		}
	}
	if best == len(failures) {
		return Line{}, "", false
	}
	message = lines[at].Text
	if failures[best].paragraph {
		for _, l := range lines[at+1 : min(at+8, len(lines))] {
			if l.Text == "" || strings.HasPrefix(l.Text, "---") {
				break
			}
			message += " " + l.Text
		}
	}
	return lines[at], strings.TrimRight(shorten(oneSpace(message), maxText), " :"), true
}

// fail adds the failure of a run, if its lines hold one, as a row of its own. A run that began and has neither rows
// nor a known message failed too: the log was cut, or the tool ended in silence.
func (l *Log) fail(m Measurement, lines []Line, rows int) {
	l.failFrom(m, lines, rows, l.firstRow(m.Run))
}

// failFrom is fail with the line from which on weak messages count.
func (l *Log) failFrom(m Measurement, lines []Line, rows, from int) {
	m.Status = bench.Failed
	if line, message, ok := cause(lines, from); ok {
		m.Line, m.Error = line.Number, message
		l.add(m)
		return
	}
	if rows > 0 {
		return
	}
	if m.Line == 0 && len(lines) > 0 {
		m.Line = lines[len(lines)-1].Number
	}
	m.Error = fmt.Sprintf("%s began but printed no row, and the log does not say why", name(m))
	for _, line := range lines {
		if at := strings.Index(line.Text, "NCCL WARN "); at >= 0 { // the last tells most
			m.Line, m.Error = line.Number, shorten(line.Text[at:], maxText)
		}
	}
	l.add(m)
}

// firstRow is the line of the first row that was read of a run, 0 where there is none.
func (l *Log) firstRow(run int) (line int) {
	for i := len(l.Measurements) - 1; i >= 0 && l.Measurements[i].Run == run; i-- {
		line = l.Measurements[i].Line
	}
	return line
}

func name(m Measurement) string {
	if m.Operation != "" {
		return m.Operation
	}
	return m.Tool
}

// launcher knows only that something failed to start or died, not which tool it was.
var launcher = Format{
	Name: "launcher", Family: "launcher",
	Summary: "a failed launch: messages of mpirun, srun, NCCL or the system without any tool's output",
	Detect: func(t *Text) Confidence {
		if _, _, ok := cause(t.Lines, 0); ok {
			return Guess
		}
		return 0
	},
	Read: func(t *Text, log *Log) {
		if line, message, ok := cause(t.Lines, 0); ok {
			log.add(Measurement{Line: line.Number, Run: 1, Tool: "launcher", Status: bench.Failed, Error: message})
		}
	},
}
