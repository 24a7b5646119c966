//go:build cgo

package softgpu

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/cgo/nvml"
	"collbench/cgo/softgpu/softgputest"
)

// TestPackages has cgo/cuda, cgo/nccl and cgo/nvml work on the stand-ins: two processes of this test, timed all-reduces
// with the plugin in this very program, on two hosts by name, and what NVML says of the links.
func TestPackages(t *testing.T) {
	libraries := softgputest.Libraries(t)
	for _, release := range []string{"2.18", "2.23", "2.27", "2.30"} {
		t.Run(release, func(t *testing.T) {
			meeting := filepath.Join(t.TempDir(), "id")
			var ranks [2]*exec.Cmd
			var said [2]bytes.Buffer
			for r := range ranks {
				ranks[r] = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPackagesRank$", "-test.v")
				ranks[r].Env = softgputest.Environment(libraries, release, "CUDA_VISIBLE_DEVICES=3,"+strconv.Itoa(5+r), "SOFTGPU_TEST_RANK="+strconv.Itoa(r), "SOFTGPU_TEST_ID="+meeting,
					nccl.ProfilerEnvironment, "NCCL_ALGO=Tree", "NCCL_PROTO=Simple", "NCCL_COLLNET_ENABLE=1", "NCCL_DEBUG=INFO", "NCCL_HOSTID=host"+strconv.Itoa(r))
				ranks[r].Stdout, ranks[r].Stderr = &said[r], &said[r]
				if err := ranks[r].Start(); err != nil {
					t.Fatal(err)
				}
			}
			evidence := map[string]string{"2.18": "no plugin", "2.23": "plugin 1: AllReduce TREE SIMPLE of 1000, 22 times",
				"2.27": "plugin 4: AllReduce TREE SIMPLE of 1000, 22 times", "2.30": "plugin 6: AllReduce TREE SIMPLE of 1000, 22 times"}[release]
			for r := range ranks {
				err := ranks[r].Wait()
				for _, want := range []string{fmt.Sprintf("softgpu (stand-in) device %d", 5+r), evidence, fmt.Sprintf("SHARP rank %d/2 initialized", r), "18 links, sent 85 KiB"} {
					if err != nil || !strings.Contains(said[r].String(), want) {
						t.Errorf("rank %d: %v: no %q in\n%s", r, err, want, said[r].String())
					}
				}
			}
		})
	}
}

// TestPackagesRank is a process of TestPackages.
func TestPackagesRank(t *testing.T) {
	rank, err := strconv.Atoi(os.Getenv("SOFTGPU_TEST_RANK"))
	if err != nil {
		t.Skip("carried out by TestPackages")
	}
	runtime.LockOSThread()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(cuda.Init())
	c, err := cuda.Device(1).Retain()
	must(err)
	must(c.Use())
	p, err := cuda.Device(1).Properties()
	must(err)
	fmt.Println(p.Name, p.UUID, p.PCI)
	must(nccl.Open())
	comm, err := nccl.Join(ctx, meet(t, rank), 2, rank, nccl.Config{})
	must(err)
	stream, err := cuda.NewStream()
	must(err)

	const n = 1000
	in, err := cuda.Alloc(4 * n)
	must(err)
	out, err := cuda.Alloc(4 * n)
	must(err)
	must(cuda.Upload(in, bytes.Repeat(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(rank+1))), n)))
	work := comm.Prepare(stream, nccl.Call{Collective: nccl.AllReduce, Send: in, Recv: out, Count: n, Type: nccl.Float32, Op: nccl.Sum, To: -1, From: -1})
	must(work.Issue(ctx))
	graph, err := stream.Capture(func() error { return work.Issue(ctx) })
	must(err)
	must(graph.Launch(stream))
	timer, err := nccl.Loop{Work: work}.Prepare()
	must(err)
	var progress atomic.Int64
	var stop atomic.Int32
	seconds, err := timer.Run(0, 20, &progress, &stop)
	must(err)
	for _, s := range seconds {
		if s <= 0 || s > 5 {
			t.Errorf("an all-reduce took %v s", s)
		}
	}
	got := make([]byte, 4*n)
	must(cuda.Download(got, out))
	if want := bytes.Repeat(binary.LittleEndian.AppendUint32(nil, math.Float32bits(3)), n); !bytes.Equal(got, want) {
		t.Error("the sum is wrong")
	}
	describe(t, p.PCI)
	must(comm.Close(ctx))
}

// describe prints what the plugin and NVML have seen.
func describe(t *testing.T, pci string) {
	if nccl.ProfilerVersion() == 0 {
		fmt.Println("no plugin")
	}
	records, _ := nccl.Profiled()
	for _, r := range records {
		if r.Event == nccl.CollectiveRun {
			fmt.Printf("plugin %d: %s %s %s of %d, %d times\n", nccl.ProfilerVersion(), r.Function, r.Algorithm, r.Protocol, r.Count, r.Times)
		}
	}
	library, err := nvml.Open()
	if err != nil {
		t.Fatal(err)
	}
	device, err := library.Device(pci)
	if err != nil {
		t.Fatal(err)
	}
	links, err := device.Links()
	if err != nil {
		t.Fatal(err)
	}
	carried, known, err := device.LinkBytes()
	fmt.Printf("%d links, sent %d KiB, known %v %v\n", len(links), carried.Sent>>10, known, err)
}

// TestImages loads the committed kernels by cgo/cuda: a device takes those of its own architecture and older ones of the
// same major version, a driver the PTX that it knows; and one of them runs.
func TestImages(t *testing.T) {
	libraries := softgputest.Libraries(t)
	for _, c := range []struct{ capability, driver, want string }{
		{"70", "13000", "compute_70.ptx sm_70.cubin"}, {"75", "13000", "compute_70.ptx sm_70.cubin"}, {"86", "12090", "compute_70.ptx sm_80.cubin"},
		{"90", "12090", "compute_70.ptx sm_90.cubin"}, {"90", "12020", "sm_90.cubin"}, {"100", "12080", "sm_100.cubin"}, {"120", "13000", "compute_70.ptx"},
	} {
		command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestImagesDevice$", "-test.v")
		command.Env = softgputest.Environment(libraries, "", "SOFTGPU_TEST_IMAGES=1", "SOFTGPU_CAPABILITY="+c.capability, "SOFTGPU_DRIVER="+c.driver)
		output, err := command.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "loaded: "+c.want+"\n") {
			t.Errorf("%s with driver %s: %v: want %s, got\n%s", c.capability, c.driver, err, c.want, output)
		}
	}
}

// TestImagesDevice is a process of TestImages.
func TestImagesDevice(t *testing.T) {
	if os.Getenv("SOFTGPU_TEST_IMAGES") == "" {
		t.Skip("carried out by TestImages")
	}
	runtime.LockOSThread()
	if err := cuda.Init(); err != nil {
		t.Fatal(err)
	}
	c, err := cuda.Device(0).Retain()
	if err == nil {
		err = c.Use()
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../kernels/bin/*.*")
	if err != nil {
		t.Fatal(err)
	}
	var loaded []string
	for _, file := range files {
		if filepath.Ext(file) == ".sha256" {
			continue
		}
		image, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if module, err := cuda.Load(image); err == nil {
			loaded = append(loaded, filepath.Base(file))
			copyOnce(t, module)
		}
	}
	fmt.Println("loaded:", strings.Join(loaded, " "))
}

// copyOnce launches cb_copy.
func copyOnce(t *testing.T, module cuda.Module) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	function, err := module.Function("cb_copy")
	must(err)
	stream, err := cuda.NewStream()
	must(err)
	from, err := cuda.Alloc(99)
	must(err)
	to, err := cuda.Alloc(99)
	must(err)
	must(cuda.Upload(from, bytes.Repeat([]byte{7}, 99)))
	launch := function.Prepare(stream, 2, 32, 24)
	for i, word := range []uint64{uint64(to), uint64(from), 99} {
		binary.LittleEndian.PutUint64(launch.Parameter()[8*i:], word)
	}
	must(launch.Run())
	must(stream.Synchronize())
	got := make([]byte, 99)
	must(cuda.Download(got, to))
	if !bytes.Equal(got, bytes.Repeat([]byte{7}, 99)) {
		t.Error("cb_copy copied something else")
	}
}

// meet brings the unique id of rank 0 to rank 1.
func meet(t *testing.T, rank int) (id nccl.UniqueID) {
	t.Helper()
	path := os.Getenv("SOFTGPU_TEST_ID")
	if rank == 0 {
		id, err := nccl.NewUniqueID()
		if err == nil {
			err = os.WriteFile(path+".new", id[:], 0o600)
		}
		if err == nil {
			err = os.Rename(path+".new", path)
		}
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for range 2000 {
		if text, err := os.ReadFile(path); err == nil {
			return nccl.UniqueID(text)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("rank 0 never wrote the id")
	return id
}
