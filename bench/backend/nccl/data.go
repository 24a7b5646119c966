package nccl

import (
	"context"
	"encoding/binary"
	"fmt"

	"collbench/bench"
	"collbench/cgo/cuda"
	"collbench/cgo/nccl"
	"collbench/collectives"
	"collbench/collectives/host"
	"collbench/kernels"
)

// programs are the kernels that make and check data, as this rank's device has them.
type programs struct {
	module       cuda.Module
	fill, verify cuda.Function
	blocks       int // of a launch, at most: enough to keep the memory busy
}

const (
	threads       = 256 // of a block
	blocksEach    = 8   // for each multiprocessor
	bytesOfThread = 16  // that a thread moves at once
)

var (
	order       = binary.NativeEndian
	resultBytes = binary.Size(kernels.Result{})
)

// load loads the kernels for the device. Without them nothing is measured: the data would go unchecked.
func load(p cuda.Properties) (programs, error) {
	image, name, err := kernels.Image(p.Major, p.Minor)
	if err != nil {
		return programs{}, err
	}
	loaded := programs{blocks: blocksEach * p.Multiprocessors}
	if loaded.module, err = cuda.Load(image); err != nil {
		return programs{}, fmt.Errorf("the kernels that make and check the data (%s, for compute capability %d.%d) do not load: %w", name, p.Major, p.Minor, err)
	}
	if loaded.fill, err = loaded.module.Function("cb_fill"); err == nil {
		loaded.verify, err = loaded.module.Function("cb_verify")
	}
	return loaded, err
}

// end is where an end of the operation lies: the address of element `first` of the buffer that the contract of the
// collective speaks of.
type end struct {
	address cuda.Pointer
	first   int
}

// origin is where element 0 of that buffer lies, or would lie.
func (e end) origin(size int) uint64 { return uint64(e.address) - uint64(e.first*size) }

// buffers takes the memory of the input and of the output: one for each, as long on every rank and without what is no part of
// it, so that symmetric windows have the same offsets; in place the one buffer of the contract.
func (o *operation) buffers(ctx context.Context) (err error) {
	size, in, out := o.test.What.DataType.Size(), o.shape.Size(), o.shape.Size()
	switch o.shape.Collective {
	case collectives.AllGather, collectives.Gather:
		in, o.in.first = o.shape.Count, o.role.rank*o.shape.Count
	case collectives.ReduceScatter, collectives.Scatter:
		out, o.out.first = o.shape.Count, o.role.rank*o.shape.Count
	}
	if o.test.What.InPlace {
		whole, err := o.memory(ctx, o.shape.Size()*size)
		o.in.address, o.out.address = whole+cuda.Pointer(o.in.first*size), whole+cuda.Pointer(o.out.first*size)
		return err
	}
	if o.in.address, err = o.memory(ctx, in*size); err != nil {
		return err
	}
	o.out.address, err = o.memory(ctx, out*size)
	return err
}

// data puts the case's tables onto the device and prepares the launches that make the input and check the output of an
// iteration there.
func (o *operation) data() (err error) {
	w, size := o.test.What, o.test.What.DataType.Size()
	o.payload = host.NewPayload(o.shape, w.DataType, w.Reduction)
	tables, err := o.upload(o.payload.Tables())
	if err != nil {
		return err
	}
	if o.result, err = o.take(cuda.Alloc(uint64(resultBytes))); err != nil {
		return err
	}
	in, out := o.payload.Segments(o.role.rank)
	input, err := o.segments(in, tables, o.in.origin(size))
	if err != nil {
		return err
	}
	output, err := o.segments(out, tables, o.out.origin(size))
	if err != nil {
		return err
	}
	if len(in) > 0 {
		o.before = o.hook(o.kernels.fill, in, kernels.FillParams{Payload: input, Size: uint32(size)})
	}
	if len(out) > 0 && o.role.receives {
		check := kernels.VerifyParams{Payload: output, Result: uint64(o.result), Type: uint32(types[w.DataType]), Compare: kernels.SameBits}
		if w.Reduces() { // a library may turn −0 into +0
			check.Compare, check.Tolerance = kernels.Within, host.Tolerance(w.DataType, w.Reduction, o.shape.Ranks)
		}
		o.after = o.hook(o.kernels.verify, out, check)
	}
	return nil
}

// upload puts bytes into device memory of their own.
func (o *operation) upload(data []byte) (cuda.Pointer, error) {
	p, err := o.take(cuda.Alloc(uint64(len(data))))
	if err != nil {
		return 0, err
	}
	return p, cuda.Upload(p, data)
}

// take keeps device memory until the operation is closed.
func (o *operation) take(p cuda.Pointer, err error) (cuda.Pointer, error) {
	if err == nil {
		o.closes = append(o.closes, p.Free)
	}
	return p, err
}

// segments is the payload of the buffer whose element 0 has the address. One segment travels in the launch itself.
func (o *operation) segments(list []host.Segment, tables cuda.Pointer, address uint64) (kernels.Payload, error) {
	p := kernels.Payload{Data: address, Tables: uint64(tables)}
	var bytes []byte
	for _, s := range list {
		p.Segment = kernels.Segment{Offset: uint64(s.Offset), Length: uint64(s.Length), Start: uint32(s.Start), Table: uint32(s.Table)}
		bytes, _ = binary.Append(bytes, order, p.Segment) // it has a fixed size: no error
	}
	if len(list) <= 1 {
		return p, nil
	}
	at, err := o.upload(bytes)
	p.Segments, p.SegmentCount = uint64(at), uint32(len(list))
	return p, err
}

// hook is a launch of the kernel over the segments.
func (o *operation) hook(f cuda.Function, over []host.Segment, parameters any) []nccl.Hook {
	var all int
	for _, s := range over {
		all += s.Length * o.test.What.DataType.Size()
	}
	blocks := min(o.kernels.blocks, 1+all/(threads*bytesOfThread))
	launch := f.Prepare(o.stream, blocks, threads, binary.Size(parameters))
	o.closes = append(o.closes, closed(launch.Close))
	_, _ = binary.Encode(launch.Parameter(), order, parameters) // both have the same fixed size: no error
	return []nccl.Hook{{Launch: launch, Iteration: kernels.IterationOffset}}
}

// found is what the kernels have found in the iterations of the last Run.
func (o *operation) found() (v bench.Verdict, err error) {
	if o.after == nil || o.checked == 0 {
		return v, nil
	}
	bytes := make([]byte, resultBytes)
	if err := cuda.Download(bytes, o.result); err != nil {
		return v, err
	}
	var r kernels.Result
	if _, err := binary.Decode(bytes, order, &r); err != nil {
		return v, err
	}
	v.Checked, v.Wrong = int64(o.checked)*o.payload.Checked(o.role.rank), int64(r.Wrong)
	if r.First > 0 {
		unit := "iteration"
		if o.test.How.Timing == bench.TimingBatch {
			unit = "batch"
		}
		size := o.test.What.DataType.Size()
		got, want := order.AppendUint64(nil, r.Got), order.AppendUint64(nil, r.Want)
		v.First = fmt.Sprintf("%s %d, %s", unit, r.Iteration, o.payload.Describe(o.role.rank, int(r.First-1), got[:size], want[:size]))
	}
	return v, nil
}
