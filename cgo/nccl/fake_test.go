package nccl

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// scenarioVariable names the scenario that a process of the test carries out: the library is opened once in the life of
// a process.
const scenarioVariable = "NCCL_TEST_SCENARIO"

// fake builds the library in testdata/fake, which lacks the functions named.
func fake(t testing.TB, without ...string) string {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler to build the fake library with")
	}
	library := filepath.Join(t.TempDir(), "fake.so")
	arguments := []string{"-shared", "-fPIC", "-O2", "-w", "-o", library, "testdata/fake/defaults.c", "testdata/fake/fake.c", "-ldl"}
	for _, name := range without {
		arguments = append(arguments, "-D"+name+"=no_"+name)
	}
	if said, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return library
}

// carryOut runs a scenario in a process of its own, with the library and the settings, and returns what it wrote and
// the library's log.
func carryOut(t *testing.T, scenario, library string, settings ...string) (said, log string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	c := exec.Command(os.Args[0], "-test.run=^TestScenario$", "-test.v")
	c.Env = append(os.Environ(), scenarioVariable+"="+scenario, "COLLBENCH_LIBCUDA="+library, pathVariable+"="+library,
		"FAKE_DRIVER=12080", "FAKE_NCCL=22703", "FAKE_LOG="+path)
	c.Env = append(c.Env, settings...)
	output, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", scenario, err, output)
	}
	lines, _ := os.ReadFile(path)
	var kept bytes.Buffer
	for line := range strings.Lines(string(output)) {
		if text, ok := strings.CutPrefix(line, "> "); ok {
			kept.WriteString(text)
		}
	}
	return kept.String(), string(lines)
}
