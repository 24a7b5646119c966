package cuda

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"collbench/cgo/dl"
)

// scenarioVariable marks a process of the test that opens the driver: that is done once in the life of a process.
const scenarioVariable = "CUDA_TEST_SCENARIO"

// TestScenario is a process of another test; what it says begins with "> ".
func TestScenario(t *testing.T) {
	if os.Getenv(scenarioVariable) == "" {
		t.Skip("carried out by the other tests")
	}
	err := Init()
	fmt.Println(">", errors.Is(err, ErrUnavailable), err)
	if err != nil {
		_, err := NewStream()
		fmt.Println(">", err)
		return
	}
	launch := Function{}.Prepare(Stream{}, 3, 64, 12)
	copy(launch.Parameter(), "....\x07\x00\x00\x00") // the fake shows the second number
	fmt.Println(">", len(launch.Parameter()), launch.Run())
	launch.Close()
	start, err := NewEvent(true)
	end, err2 := NewEvent(true)
	fmt.Println(">", errors.Join(err, err2, start.Record(Stream{}), launchOnce(), end.Record(Stream{})))
	seconds, err := end.Since(start)
	fmt.Println(">", seconds, err)
	done, err := end.Done()
	fmt.Println(">", done, err)
	_, err = Stream{}.Capture(func() error { return errors.New("the work failed") })
	fmt.Println(">", err)
	n, err := Devices()
	fmt.Println(">", n, err)
}

func launchOnce() error {
	l := Function{}.Prepare(Stream{}, 1, 1, 8)
	defer l.Close()
	return l.Run()
}

// carryOut runs the scenario in a process of its own.
func carryOut(t *testing.T, library string, settings ...string) (said, log string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	c := exec.Command(os.Args[0], "-test.run=^TestScenario$", "-test.v")
	c.Env = append(append(os.Environ(), scenarioVariable+"=1", pathVariable+"="+library, "FAKE_DRIVER=12080", "FAKE_LOG="+path), settings...)
	output, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for line := range strings.Lines(string(output)) {
		if text, ok := strings.CutPrefix(line, "> "); ok {
			said += text
		}
	}
	lines, _ := os.ReadFile(path)
	return said, string(lines)
}

func TestInit(t *testing.T) {
	if errors.Is(Init(), dl.ErrNoCgo) {
		t.Skip(dl.ErrNoCgo)
	}
	const empty = "cuStreamCreate: the driver has no words for it (unknown error, 3)\n"
	said, _ := carryOut(t, "/nowhere/libcuda.so.1")
	same(t, said, "true CUDA is not available: CUDA driver: /nowhere/libcuda.so.1: cannot open shared object file: No such file or directory\n"+empty)

	library := fake(t, "cuMemAlloc_v2", "cuGraphLaunch")
	said, _ = carryOut(t, library)
	same(t, said, "true CUDA is not available: CUDA driver: "+library+" has no cuGraphLaunch, cuMemAlloc_v2\n"+empty)

	library = fake(t)
	said, _ = carryOut(t, library, "FAKE_CUINIT=100")
	begins(t, said, "true CUDA is not available: cuInit: no CUDA-capable device is detected (CUDA_ERROR_NO_DEVICE, 100)\n")
	said, _ = carryOut(t, library, "FAKE_DRIVER=11040")
	begins(t, said, "true CUDA is not available: the driver serves CUDA 11.4 and needs to serve 11.8 or later\n")

	said, log := carryOut(t, library)
	same(t, said, "false <nil>\n12 <nil>\n<nil>\n0.001 <nil>\nfalse <nil>\nthe work failed\n0 <nil>\n")
	same(t, log, "kernel of 3x64, iteration 7\nkernel of 1x1, iteration 0\n")
}

// fake builds the library of cgo/nccl's tests, without the functions named.
func fake(t *testing.T, without ...string) string {
	t.Helper()
	compiler, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("no C compiler to build the fake library with")
	}
	library := filepath.Join(t.TempDir(), "fake.so")
	arguments := []string{"-shared", "-fPIC", "-O2", "-w", "-o", library, "../nccl/testdata/fake/defaults.c", "../nccl/testdata/fake/fake.c", "-ldl"}
	for _, name := range without {
		arguments = append(arguments, "-D"+name+"=no_"+name)
	}
	if said, err := exec.Command(compiler, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	return library
}

func same(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func begins(t *testing.T, got, want string) {
	t.Helper()
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", got, want)
	}
}
