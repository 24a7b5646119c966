package formats

import (
	"fmt"
	"regexp"
	"strings"

	"collbench/bench"
)

// failure is a message by which a launcher, a library or the system says that a run has failed.
type failure struct {
	pattern   *regexp.Regexp
	paragraph bool // the message goes on to the next empty line
}

// failures are in the order of how much they tell of the cause: of a run's messages the first here is its error.
var failures = []failure{
	{regexp.MustCompile(`There are not enough slots available`), true},
	{regexp.MustCompile(`Test NCCL failure|Test CUDA failure|Test HIP failure|Test RCCL failure`), false},
	{regexp.MustCompile(`\bSignal: |[Ss]egmentation fault|Bus error|[Ff]loating point exception`), false},
	{regexp.MustCompile(`[Cc]ompletion with (status )?error|Failed status \d+`), true},
	{regexp.MustCompile(`Couldn't connect to|Unable to init the socket connection|Unable to find the Infiniband|did not detect devices`), false},
	{regexp.MustCompile(`CUDA error|CUDA failure|cudaError|HIP failure|CUDA_ERROR_|out of memory|[Oo]ut [Oo]f [Mm]emory|oom[-_]kill`), false},
	{regexp.MustCompile(`Invalid number of GPUs|no CUDA-capable device`), false},
	{regexp.MustCompile(`error while loading shared libraries|symbol lookup error|command not found|[Nn]o such file or directory|Permission denied|failed to launch|Executable not found`), false},
	{regexp.MustCompile(`[Uu]nable to (allocate|create|start|launch)|could not be (executed|launched|started)|was unable to (find|launch|start)`), false},
	{regexp.MustCompile(`ORTE_ERROR|PMIX ERROR|PMIx_Init failed|UCX\s+ERROR|UCC\s+ERROR|NVSHMEM.*ERROR|Fatal error in|MPI_ABORT was invoked|An error occurred in MPI_|MPI_ERRORS_ARE_FATAL`), false},
	{regexp.MustCompile(`DUE TO TIME LIMIT|DUE TO NODE FAILURE|DUE TO PREEMPTION|DUE TO TASK FAILURE|\*\*\* (STEP|JOB) \S+ (ON \S+ )?CANCELLED|Job timed out|timed out after`), false},
	{regexp.MustCompile(`BAD TERMINATION|EXIT CODE: [1-9]|mpirun noticed that process|exited on signal|exited with (exit )?code [1-9]`), false},
	{regexp.MustCompile(`Test failure |Failed to complete|Assertion .*failed|terminate called after throwing|core dumped|forrtl: (severe|error)`), false},
	{regexp.MustCompile(`a process returned|1 process returned|non-zero (exit code|status)|job has been aborted|job aborted`), false},
	{regexp.MustCompile(`srun: error:|slurmstepd: error:|mpirun: error|mpiexec: error`), false},
	{regexp.MustCompile(`^ERROR\b|^Error:|NCCL WARN .*([Ee]rror|[Ff]ailed)|COMMUNICATION ERROR`), false},
}

// harmless are lines that read like a failure but are none.
var harmless = regexp.MustCompile(`# Errors with asterisks|^#|^\+ |^\$ |[$#] (mpirun|srun)|errors? *[:=] *0\b`)

// cause finds the line among some that tells most about a failure, and its message; nil where none does.
func cause(lines []Line) (line Line, message string, found bool) {
	best := len(failures)
	at := 0
	for i, l := range lines {
		if l.Text == "" || harmless.MatchString(l.Text) {
			continue
		}
		for rank, f := range failures[:best] {
			if f.pattern.MatchString(l.Text) {
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
	message = strings.TrimRight(oneSpace(message), " :")
	if runes := []rune(message); len(runes) > 300 {
		message = string(runes[:300]) + "…"
	}
	return lines[at], message, true
}

// fail adds the failure of a run, if its lines hold one, as a row of its own. A run that began and has neither rows
// nor a known message failed too: the log was cut, or the tool ended in silence.
func (l *Log) fail(m Measurement, lines []Line, rows int) {
	m.Status = bench.Failed
	if line, message, ok := cause(lines); ok {
		m.Line, m.Error = line.Number, message
		l.add(m)
		return
	}
	if rows == 0 {
		if m.Line == 0 && len(lines) > 0 {
			m.Line = lines[len(lines)-1].Number
		}
		m.Error = fmt.Sprintf("%s began but printed no row, and the log does not say why", name(m))
		l.add(m)
	}
}

func name(m Measurement) string {
	if m.Operation != "" {
		return m.Operation
	}
	return m.Tool
}

// launcher knows only that something failed to start or died, not which tool it was.
var launcher = Format{
	Name:    "launcher",
	Summary: "a failed launch: messages of mpirun, srun, NCCL or the system without any tool's output",
	Detect: func(t *Text) Confidence {
		if _, _, ok := cause(t.Lines); ok {
			return Guess
		}
		return 0
	},
	Read: func(t *Text, log *Log) {
		if line, message, ok := cause(t.Lines); ok {
			log.add(Measurement{Line: line.Number, Run: 1, Tool: "launcher", Status: bench.Failed, Error: message})
		}
	},
}
