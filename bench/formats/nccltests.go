package formats

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"collbench/bench"
)

var ncclTests = Format{
	Name: "nccl-tests", Family: "nccl-tests",
	Summary: "NVIDIA nccl-tests, text of 2018 to 2.20, and collbench's own export in that layout",
	Detect:  detectNCCLTests,
	Read:    func(t *Text, log *Log) { readNCCLTests(t, log, "nccl-tests") },
}

var rcclTests = Format{
	Name: "rccl-tests", Family: "nccl-tests",
	Summary: "AMD rccl-tests, text",
	Detect: func(t *Text) Confidence {
		if c := detectNCCLTests(t); c >= Table && (t.has("RCCL", rcclLine) || t.has("HIP", rcclLine) || t.has("rccl", rcclLine) || t.has("AMD", rcclLine)) {
			return c + 1
		}
		return 0
	},
	Read: func(t *Text, log *Log) { readNCCLTests(t, log, "rccl-tests") },
}

var (
	rcclLine     = regexp.MustCompile(`^(RCCL version|HIP version|rccl-tests:)|NCCL .*RCCL|\bAMD Instinct\b`)
	ncclHeader   = regexp.MustCompile(`^#\s+(size\s+count|bytes\s+N)\s+type\b`)
	ncclParams   = regexp.MustCompile(`^# nThreads? +(\d+) nGpus +(\d+) minBytes +(\d+) maxBytes +(\d+) step: +(\d+)\((\w+)\)(?: warmup iters: +\d+ iters: +(\d+))?`)
	ncclStarting = regexp.MustCompile(`^# Collective test starting: +(\S+)`)
	ncclVersion  = regexp.MustCompile(`^# nccl-tests version +(\S+)(?:.*nccl-library=(\d+))?`)
	rcclVersion  = regexp.MustCompile(`^rccl-tests: Version +(\S+)`)
	ourVersion   = regexp.MustCompile(`^# collbench +(.*), not nccl-tests`)
	ourHeader    = regexp.MustCompile(`^# ranks (\d{1,9}) hosts (\d{1,9}) `)
	ourStatus    = regexp.MustCompile(`^# (\d+) bytes: (failed|skipped|interrupted): (.*)`)
	ourStarting  = regexp.MustCompile(`^# Collective test starting: \S+ algorithm (\S+)(?:.* variant (\S.*))?`)
	ncclProgram  = regexp.MustCompile(`(?:^|[\s/'"=])((?:all_reduce|all_gather|reduce_scatter|broadcast|reduce|alltoallv?|gather|scatter|sendrecv|hypercube)(?:_bias|_group)?)_perf(?:_mpi)?\b`)
	// ncclPrompt tells a command line from a mention of the program, as in a backtrace.
	ncclPrompt  = regexp.MustCompile(`^\S*[$%>] |^\S+@\S+# |^\+ |^\$|^\.{0,2}/\S*_perf\S* +-|\b(mpirun|mpiexec|srun|prterun)\b.* -`)
	pathVersion = regexp.MustCompile(`nccl-tests-v?(\d+\.\d+\.\d+)/`)
	libraryLine = regexp.MustCompile(`^(?:.* )?(NCCL|RCCL) version ?:? *(\d\S*)`)
	ncclDevice  = regexp.MustCompile(`^#\s+Rank\s+(\d{1,7})\s.*?\bon\s+(\S+)`)
	outOfBounds = regexp.MustCompile(`^#?\s*Out of bounds values\s*:\s*(\d+)\s+(\w+)`)
	averageBus  = regexp.MustCompile(`^#?\s*Avg bus bandwidth\s*:\s*(\S+)`)
	concluded   = regexp.MustCompile(`^# Collective test concluded`)
	ncclDebug   = regexp.MustCompile(`[A-Za-z][\w.-]*:\d+:\d+ \[\d+\] (NCCL|RCCL|TRACE|transport|misc|init|graph)\b.*$`)
)

func detectNCCLTests(t *Text) Confidence {
	switch {
	case t.has("type", ncclHeader), t.has("# Coll", ncclStarting), t.has("# nThread", ncclParams), t.has("# nccl", ncclVersion):
		return Table
	case t.has("_perf", ncclProgram):
		return Named
	}
	return 0
}

// stage is how far the output of a run has come.
type stage int

const (
	launching stage = iota
	beginning       // version, name or parameters were printed
	devices
	heading
	measuring
	ending
)

// ncclRun is one run of a log while it is read.
type ncclRun struct {
	stage              stage
	lines              []Line
	tool               string
	program, algorithm string // without "_perf"
	variant            string
	version, library   string
	params             string
	copies             int // of the parameter line
	maxBytes           int64
	factor             int64
	iterations         int64
	ranksGiven         int
	hostsGiven         int
	ranks              map[int]bool
	hosts              map[string]bool
	columns            []string
	pending            *ncclPending
	rows               []ncclRow
	lost               []Measurement // of collbench's own export: what has no figures
	firstRow           Line
	base               Measurement // of the run as reported
	footer             *int64      // values out of bounds
	footerLine         int
	deviceLine         int // the last
	average            *figure
	averageLine        int
}

func readNCCLTests(t *Text, log *Log, tool string) {
	run := newNCCLRun(tool)
	number := 1
	for _, line := range t.Lines {
		if run.endsBefore(line.Text) {
			number += run.report(log, number)
			run = newNCCLRun(tool)
		}
		run.lines = append(run.lines, line)
		run.take(line, log)
	}
	run.report(log, number)
}

func newNCCLRun(tool string) *ncclRun {
	return &ncclRun{tool: tool, ranks: map[int]bool{}, hosts: map[string]bool{}}
}

// endsBefore says whether the line opens another run.
func (r *ncclRun) endsBefore(text string) bool {
	switch {
	case ncclVersion.MatchString(text), ourVersion.MatchString(text):
		return r.stage >= devices || r.params != ""
	case ncclStarting.MatchString(text):
		return r.stage >= devices
	case ncclParams.MatchString(text):
		// The same line again, before any row, comes from a process that runs beside this one.
		return r.stage >= measuring || r.params != "" && text != r.params
	case ncclHeader.MatchString(text):
		return r.stage >= measuring
	case strings.Contains(text, "_perf") && ncclProgram.MatchString(text) && ncclPrompt.MatchString(text):
		return r.stage >= beginning && !strings.HasPrefix(text, "#")
	}
	return false
}

// take reads one line.
func (r *ncclRun) take(line Line, log *Log) {
	text := line.Text
	if strings.HasPrefix(text, "#") || strings.HasPrefix(text, "Out of bounds") || strings.HasPrefix(text, "Avg bus") {
		r.cutRow(log)
		r.takeComment(line)
		return
	}
	if m := rcclVersion.FindStringSubmatch(text); m != nil && r.version == "" {
		r.version = m[1]
	}
	if strings.Contains(text, "CCL version") {
		if m := libraryLine.FindStringSubmatch(text); m != nil {
			r.library = m[1] + " " + m[2]
		}
	}
	if !strings.Contains(text, "_perf") {
		r.takeRow(line, log)
		return
	}
	if m := ncclProgram.FindStringSubmatch(text); m != nil && (r.stage == launching || r.program == "") {
		r.program = m[1]
		if v := pathVersion.FindStringSubmatch(text); v != nil && r.version == "" {
			r.version = v[1]
		}
	}
	r.takeRow(line, log)
}

// takeComment reads a line that begins with a number sign: banners, header and footer.
func (r *ncclRun) takeComment(line Line) {
	r.takeBanner(line.Text)
	if r.tool == "collbench" {
		r.takeOwn(line)
	}
	if m := ncclDevice.FindStringSubmatch(line.Text); m != nil {
		r.reach(devices)
		r.deviceLine = line.Number
		rank, _ := strconv.Atoi(m[1])
		r.ranks[rank], r.hosts[m[2]] = true, true
	}
	if ncclHeader.MatchString(line.Text) {
		r.reach(heading)
		r.columns = strings.Fields(strings.TrimPrefix(line.Text, "#"))
	}
	r.takeFooter(line)
}

func (r *ncclRun) reach(s stage) { r.stage = max(r.stage, s) }

// takeBanner reads what comes before the devices: version, name of the test, parameters.
func (r *ncclRun) takeBanner(text string) {
	if m := ncclVersion.FindStringSubmatch(text); m != nil {
		r.reach(beginning)
		r.version = m[1]
		if code, err := strconv.Atoi(m[2]); err == nil && code > 0 {
			r.library = "NCCL " + ncclVersionText(code)
		}
	}
	if m := ourVersion.FindStringSubmatch(text); m != nil {
		r.reach(beginning)
		r.tool, r.version = "collbench", m[1]
	}
	if m := ncclStarting.FindStringSubmatch(text); m != nil {
		r.reach(beginning)
		r.program = strings.TrimSuffix(strings.TrimSuffix(m[1], "_mpi"), "_perf")
	}
	if m := ncclParams.FindStringSubmatch(text); m != nil {
		r.reach(beginning)
		r.params = text
		r.copies++
		r.maxBytes, _ = strconv.ParseInt(m[4], 10, 64)
		if m[6] == "factor" {
			r.factor, _ = strconv.ParseInt(m[5], 10, 64)
		}
		r.iterations, _ = strconv.ParseInt(m[7], 10, 64)
	}
}

// takeOwn reads what collbench's own export has in addition.
func (r *ncclRun) takeOwn(line Line) {
	if m := ourStarting.FindStringSubmatch(line.Text); m != nil {
		r.algorithm, r.variant = m[1], m[2]
	}
	if m := ourHeader.FindStringSubmatch(line.Text); m != nil {
		r.ranksGiven, _ = strconv.Atoi(m[1])
		r.hostsGiven, _ = strconv.Atoi(m[2])
	}
	if m := ourStatus.FindStringSubmatch(line.Text); m != nil {
		r.lost = append(r.lost, Measurement{Line: line.Number, Bytes: whole(m[1]), Status: bench.Status(m[2]), Error: m[3]})
	}
}

func (r *ncclRun) takeFooter(line Line) {
	if m := outOfBounds.FindStringSubmatch(line.Text); m != nil {
		r.reach(ending)
		r.footer, r.footerLine = whole(m[1]), line.Number
	}
	if m := averageBus.FindStringSubmatch(line.Text); m != nil {
		r.reach(ending)
		if f, ok := parseFigure(m[1]); ok {
			r.average, r.averageLine = &f, line.Number
		}
	}
	if concluded.MatchString(line.Text) {
		r.reach(ending)
	}
}

// ncclVersionText turns NCCL_VERSION_CODE into "2.29.3": X·10000 + Y·100 + Z since 2.9, X·1000 + Y·100 + Z before.
func ncclVersionText(code int) string {
	major, rest := code/10000, code%10000
	if code < 10000 {
		major, rest = code/1000, code%1000
	}
	return strconv.Itoa(major) + "." + strconv.Itoa(rest/100) + "." + strconv.Itoa(rest%100)
}

// givenRanks is the number of ranks that the header lists, 0 where it lists none.
func (r *ncclRun) givenRanks() int {
	if r.ranksGiven > 0 {
		return r.ranksGiven
	}
	most := -1
	for rank := range r.ranks {
		most = max(most, rank)
	}
	return most + 1
}

// givenHosts is the number of hosts where the header lists every rank.
func (r *ncclRun) givenHosts() int {
	if r.hostsGiven > 0 {
		return r.hostsGiven
	}
	if len(r.ranks) == r.givenRanks() {
		return len(r.hosts)
	}
	return 0
}

// listed writes the ranks that the header lists: "0, 7, 8, 15".
func (r *ncclRun) listed() string {
	var ranks []int
	for rank := range r.ranks {
		ranks = append(ranks, rank)
	}
	slices.Sort(ranks)
	var words []string
	for _, rank := range ranks {
		if len(words) == 8 {
			words = append(words, "…")
			break
		}
		words = append(words, strconv.Itoa(rank))
	}
	return strings.Join(words, ", ")
}
