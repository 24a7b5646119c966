package doctor

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/doctor.md anew")

const docsFile = "../../docs/doctor.md"

// docs/doctor.md is written from the checks. It is stale when this fails; -update writes it anew.
func TestDocs(t *testing.T) {
	text := docs()
	if *update {
		if err := os.WriteFile(docsFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(docsFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, text) {
		t.Error("docs/doctor.md is not what the checks say; run: go test ./bench/doctor -run TestDocs -update")
	}
}

const docsHead = `# Doctor

This page is written by ` + "`go test ./bench/doctor -run TestDocs -update`" + ` from the checks themselves.

` + "`collbench doctor`" + ` looks whether a machine, its virtual machine and its fabric are fit for collectives, before a figure is
trusted. It only reads: files below /proc, /sys, /etc, /run, /usr and /opt, the environment, and the output of a few
commands if they are installed. No check was tried on each of the systems it is about; the rules are tested on recorded
machines that were made after the documented formats.

` + "```" + `
collbench doctor
collbench doctor --profile rdma --record machine.txtar
collbench doctor --replay machine.txtar
` + "```" + `

A finding is **pass** (looked at and right), **info** (nothing wrong: absent, or not asked for), **unknown** (could not be
seen: never a pass, and what to grant is said), **warn** (costs speed, or may) or **fail** (does not work, or silently at a
fraction of the speed). The exit code is 1 from ` + "`--fail-on warn`" + ` or ` + "`fail`" + ` (the default) on, else 0; 2 is a wrong flag or
recording, 5 a file that cannot be read or written.

## On many hosts

` + "```" + `
mpirun -n 4 collbench doctor
collbench launch -H host1,host2 -- doctor
` + "```" + `

Under a launcher the first rank of every host looks at its host, rank 0 gathers and prints it all, compares the hosts and names
the odd one out ([parity](#parity)). Every run keeps in its run.json what doctor finds of its hosts before it begins, within
some seconds at most; failures and warnings stand beside its figures in the report and do not change what is said of them.

## Recordings

` + "`--record FILE`" + ` writes what the checks read, for a bug report or to look at it elsewhere; ` + "`--replay FILE`" + ` looks at it. A
recording holds no host name, no address (IP, MAC, GUID, UUID), no serial number, and of the environment only variables
that change how communication behaves: of each file and output it keeps what a rule reads (lines and values of a known
form), and what looks like an address within it is replaced. ` + "`--record-full`" + ` leaves files and outputs as they are. What is not
in a recording is unknown. ` + "`--replay A --replay B`" + ` looks at several hosts and compares them.

## Profiles

A profile says which checks run, and for which of them absent or unknown is a failure.

`

func docs() []byte {
	var b bytes.Buffer
	b.WriteString(docsHead)
	rows := [][]string{{"`--profile`", "", "checks", "required"}}
	for _, p := range Profiles {
		checks := "all"
		if len(p.Checks) > 0 {
			checks = strings.Join(p.Checks, ", ")
		}
		rows = append(rows, []string{p.Name, p.Summary, checks, strings.Join(p.Required, ", ")})
	}
	writeRows(&b, rows)
	b.WriteString("\n## Checks\n\nEvery check of GPUs or RDMA devices can also end with one of these:\n\n")
	writeOutcomes(&b, shared)
	for _, c := range slices.Concat(All, []Check{Parity}, Proofs) {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n%s\n\nSeen: %s\n\n", c.ID, c.What, c.Why, c.How)
		writeOutcomes(&b, slices.DeleteFunc(slices.Clone(c.Outcomes), func(o *Outcome) bool { return slices.Contains(shared, o) }))
		b.WriteString("\nSources:\n")
		for _, s := range c.Sources {
			address, rest, _ := strings.Cut(s, " ")
			fmt.Fprintf(&b, "- %s\n", strings.TrimSpace("<"+address+"> "+rest))
		}
	}
	b.WriteString(docsFoot)
	return b.Bytes()
}

const docsFoot = `
## What it does not look at

Whether multicast and peer access really work (that takes a program on the GPU), the bandwidth of any link, aggregation nodes of SHARP, settings on the hypervisor, labels of Kubernetes nodes and time-slicing
of GPUs that they tell of, what DCGM diagnoses, and libraries in virtual environments or behind LD_LIBRARY_PATH.
`

// shared are the outcomes of many checks, which the page shows once.
var shared = []*Outcome{noGPU, noPCI, noDriver, noRDMA, unreadRDMA}

func writeOutcomes(b *bytes.Buffer, outcomes []*Outcome) {
	rows := [][]string{{"", "when", "what to do"}}
	for _, o := range outcomes {
		rows = append(rows, []string{o.Status.String(), o.When, o.Advice})
	}
	writeRows(b, rows)
}

func writeRows(b *bytes.Buffer, rows [][]string) {
	for i, row := range rows {
		for j, cell := range row {
			row[j] = strings.ReplaceAll(cell, "|", `\|`)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
}
