// Stands for NCCL's groups: operations are collected, chosen for, told to the plugins, and put into the streams in one
// piece per communicator. A stand-in for tests only.
#include "comm.h"

using namespace softgpu;

thread_local int group_depth = 0;
thread_local std::vector<ncclComm *> group_made;

namespace softgpu {

// Tasks of a group, by communicator, in the order of the first.
struct Plan { ncclComm *comm; std::vector<Operation> all; };
static thread_local std::vector<Plan> plans;

ncclResult_t end_group(ncclSimInfo_t *simulated);

static bool in_window(ncclComm *comm, const void *buffer) {
	for (auto &[base, window] : comm->windows)
		if (uintptr_t(buffer) >= uintptr_t(base) && uintptr_t(buffer) < uintptr_t(base) + window->size)
			return true;
	return false;
}

// Symmetric kernels take the place of the algorithms where both buffers are in windows.
static bool symmetric(ncclComm *comm, const Operation &o) {
	bool function = o.function == AllReduce || o.function == AllGather || o.function == ReduceScatter;
	bool sums = o.type == ncclFloat16 || o.type == ncclFloat32 || o.type == ncclBfloat16;
	return function && (o.function == AllGather || (o.op == ncclSum && !o.scaled && sums)) && in_window(comm, o.send) && in_window(comm, o.receive);
}

static void log_symmetric(ncclComm *comm, const Operation &o) {
	const char *kernel = o.function == AllReduce ? "AllReduce_RSxLD_AGxST" : o.function == AllGather ? "AllGather_ST" : "ReduceScatter_LD";
	long bytes = long(o.count * type_size(o.type));
	if (comm->rank != 0)
		return;
	if (release() >= 22800)
		info(comm->device, TUNING, "%s [Symmetric]: %ld Bytes -> Kernel %s nchannels %d nthreads %d nWorks %d", function_names[o.function], bytes, kernel, o.channels, 512, 1);
	else
		info(comm->device, TUNING, "%s [Symmetric]: %ld Bytes -> Kernel %s nchannels %d nthreads %d", function_names[o.function], bytes, kernel, o.channels, 512);
}

ncclResult_t append(ncclComm *comm, const Operation &given) {
	bool alone = group_depth == 0;
	if (alone)
		group_depth++;
	Operation o = given;
	o.element = type_size(o.type);
	o.iteration = comm->iterations[o.function]++;
	bool captured = driver()->capturing(o.stream);
	if (comm->ranks > 1 || o.function == Send || o.function == Recv) {
		profile_group_begin(comm, alone ? 1 : group_depth + 1, captured);
		profile_api(comm, o, captured);
	}
	// The task of a gather or a broadcast is one of bytes, and so it's seen by the log and the profiler.
	if (o.function == AllGather || o.function == Broadcast) {
		o.count *= type_size(o.type);
		o.type = ncclInt8;
	}
	Plan *plan = nullptr;
	for (auto &p : plans)
		if (p.comm == comm)
			plan = &p;
	if (!plan) {
		plans.push_back({comm, {}});
		plan = &plans.back();
	}
	plan->all.push_back(o);
	if (!alone)
		return ncclSuccess;
	return end_group(nullptr);
}

// Work is a plan in a stream or a graph.
struct Work { ncclComm *comm; std::vector<Operation> all; bool profiled; };

static void run(void *argument) {
	Work w = *static_cast<Work *>(argument); // a graph runs it again
	if (w.comm->aborted)
		return;
	if (!w.profiled)
		profile_tasks(w.comm, w.all);
	std::vector<Operation> messages;
	for (auto &o : w.all) {
		if (o.function == Send || o.function == Recv) {
			messages.push_back(o);
			continue;
		}
		std::vector<void *> handles;
		profile_kernel(w.comm, o, true, handles);
		carry_out(w.comm, o);
		profile_kernel(w.comm, o, false, handles);
	}
	if (!messages.empty())
		exchange(w.comm, messages);
}

static void drop(void *argument) {
	auto w = static_cast<Work *>(argument);
	let_go(w->comm);
	delete w;
}

static ncclResult_t launch(Plan &plan) {
	ncclComm *comm = plan.comm;
	cudaStream_t s = plan.all[0].stream;
	bool captured = driver()->capturing(s);
	if (!captured && !comm->launched)
		driver()->event_create(&comm->launched, disable_timing);
	else if (!captured)
		driver()->event_wait(s, comm->launched, 0); // a communicator's operations follow each other, whatever their streams
	for (auto &o : plan.all)
		order_streams(o.stream, s);
	profile_launch(comm, plan.all, true);
	comm->references++;
	auto work = new Work{comm, plan.all, !captured};
	if (!captured) // by the host's thread, before the kernel can end
		profile_tasks(comm, work->all);
	if (int code = driver()->enqueue(s, run, work, drop))
		return cuda_failed(code);
	profile_launch(comm, plan.all, false);
	for (auto &o : plan.all)
		order_streams(s, o.stream);
	if (!captured)
		driver()->event_record(comm->launched, s);
	return ncclSuccess;
}

static ncclResult_t end_plan(Plan &plan, ncclSimInfo_t *simulated) {
	int collectives = 0;
	for (auto &o : plan.all)
		collectives += o.function < Tuned;
	for (auto &o : plan.all) {
		if (o.function >= Tuned)
			continue;
		o.symmetric = symmetric(plan.comm, o);
		if (o.symmetric)
			log_symmetric(plan.comm, o);
		else if (auto rc = choose(plan.comm, &o, collectives))
			return rc;
		if (simulated)
			simulated->estimatedTime = o.microseconds;
	}
	return simulated ? ncclSuccess : launch(plan);
}

static ncclResult_t end_made(std::vector<ncclComm *> made) {
	ncclResult_t rc = ncclSuccess;
	for (auto comm : made) {
		if (comm->config.blocking == 0) {
			rc = rc ? rc : ncclInProgress;
			continue;
		}
		comm->maker.join();
		if (comm->state != ncclSuccess)
			rc = ncclResult_t(comm->state.load());
	}
	return rc;
}

static ncclResult_t end_plans(std::vector<Plan> &all, ncclSimInfo_t *simulated) {
	ncclResult_t rc = ncclSuccess;
	for (auto &plan : all)
		if (rc == ncclSuccess)
			rc = end_plan(plan, simulated);
	return rc;
}

// From 2.23 on the group of a communicator that doesn't block is launched by a thread made for it; the caller polls.
static bool in_background(const std::vector<Plan> &all) {
	return release() >= 22300 && !all.empty() && all[0].comm->config.blocking == 0;
}

static void end_in_background(std::vector<Plan> all) {
	for (auto &plan : all) {
		plan.comm->state = ncclInProgress;
		plan.comm->references++;
	}
	void *context = nullptr;
	driver()->context(&context);
	std::thread([all = std::move(all), context]() mutable {
		driver()->use(context);
		ncclResult_t rc = end_plans(all, nullptr);
		for (auto &plan : all) {
			int now = ncclInProgress;
			plan.comm->state.compare_exchange_strong(now, rc); // unless an error came from the operation itself
			let_go(plan.comm);
		}
	}).detach();
}

ncclResult_t end_group(ncclSimInfo_t *simulated) {
	if (--group_depth > 0)
		return ncclSuccess;
	profile_group_ending();
	auto now = std::move(plans);
	plans.clear();
	auto made = std::move(group_made);
	group_made.clear();
	ncclResult_t rc = end_made(made);
	if (rc == ncclSuccess && !simulated && in_background(now)) {
		end_in_background(std::move(now));
		rc = ncclInProgress;
	} else if (rc == ncclSuccess) {
		rc = end_plans(now, simulated);
	}
	profile_group_end();
	return rc;
}

} // namespace softgpu

SOFTGPU_API ncclResult_t ncclGroupStart() {
	group_depth++;
	return ncclSuccess;
}

static ncclResult_t not_in_group() {
	warn(-1, "ncclGroupEnd: not in a group call.");
	return ncclInvalidUsage;
}

SOFTGPU_API ncclResult_t ncclGroupEnd() { return group_depth == 0 ? not_in_group() : end_group(nullptr); }

// The caller's structure may be older; its time is that of the last operation.
SOFTGPU_API ncclResult_t ncclGroupSimulateEnd(ncclSimInfo_t *info) {
	if (group_depth == 0)
		return not_in_group();
	if (info && info->magic != 0x74685283) {
		warn(-1, "ncclSimInfo_t argument not initialized via NCCL_SIM_INFO_INITIALIZER");
		return ncclInvalidArgument;
	}
	ncclSimInfo_t unused{};
	return end_group(info ? info : &unused);
}
