// Stands for NCCL's calls of a profiler plugin: which events, in which order and with which parents, per release and per
// version of the interface. A stand-in for tests only.
#include "profiler.h"
#include "comm.h"
#include "plugin.h"

#include <ctime>

namespace softgpu {

static const ProfilerSymbol *plugin;
static int interface; // its version
static int mask;      // of events, one for all communicators as in NCCL

static thread_local struct { void *handle; ncclComm *comm; bool ending; } group_api;
static thread_local void *launch_handle;

static int newest() {
	int r = release();
	return r >= 22900 ? 6 : r >= 22800 ? 5 : r >= 22700 ? 4 : r >= 22600 ? 3 : r >= 22400 ? 2 : r >= 22300 ? 1 : 0;
}

void profiler_init(ncclComm *comm) {
	static std::mutex once;
	std::lock_guard<std::mutex> hold(once);
	if (!plugin && newest())
		plugin = static_cast<const ProfilerSymbol *>(find_plugin("NCCL_PROFILER_PLUGIN", "libnccl-profiler", "ncclProfiler_v", newest(), 1, &interface));
	if (!plugin)
		return;
	const char *name = comm->config.commName ? comm->name.c_str() : nullptr;
	int rc;
	if (interface <= 3)
		rc = ProfilerInit1(plugin->init)(&comm->profiler_context, &mask);
	else if (interface == 4)
		rc = ProfilerInit4(plugin->init)(&comm->profiler_context, &mask, name, comm->hash, comm->nodes, comm->ranks, comm->rank, plugin_logger);
	else
		rc = ProfilerInit5(plugin->init)(&comm->profiler_context, comm->hash, &mask, name, comm->nodes, comm->ranks, comm->rank, plugin_logger);
	if (rc != 0) {
		info(comm->device, INIT, "Profiler init failed with error '%d'. Continue without profiler.", rc);
		plugin = nullptr;
	}
}

void profiler_finalize(ncclComm *comm) {
	if (plugin && comm->profiler_context)
		plugin->finalize(comm->profiler_context);
	comm->profiler_context = nullptr;
}

static void *begin(ncclComm *comm, void *descriptor) {
	void *handle = nullptr;
	plugin->start(comm->profiler_context, &handle, descriptor);
	return handle;
}

static void end(void *handle) {
	if (handle)
		plugin->stop(handle);
}

static const int of_tasks = CollEvent | P2pEvent | ProxyOpEvent | ProxyStepEvent | KernelChEvent | NetPluginEvent;
static const int of_colls = of_tasks & ~P2pEvent, of_p2ps = of_tasks & ~CollEvent;

static bool raises_api(int events) { return plugin && interface >= 5 && (mask & events); }

// Events of the interface (2.28 on): the group begins with its first operation, and implicitly for one alone.
void profile_group_begin(ncclComm *comm, int depth, bool captured) {
	if (group_api.handle || !raises_api(of_tasks | GroupEvent | GroupApiEvent | CollApiEvent | P2pApiEvent | KernelLaunchEvent))
		return;
	Descriptor5 d{};
	d.type = GroupApiEvent;
	d.group_api.captured = captured;
	d.group_api.depth = depth;
	group_api = {begin(comm, &d), comm, false};
	if (group_api.handle)
		plugin->record(group_api.handle, GroupStartApiStop, nullptr);
}

void profile_group_ending() {
	if (group_api.handle && !group_api.ending)
		plugin->record(group_api.handle, GroupEndApiStart, nullptr);
	group_api.ending = true;
}

void profile_group_end() {
	end(group_api.handle);
	group_api = {};
}

void profile_api(ncclComm *comm, Operation &o, bool captured) {
	bool p2p = o.function == Send || o.function == Recv;
	if (!raises_api(p2p ? P2pApiEvent | of_p2ps : CollApiEvent | of_colls))
		return;
	Descriptor5 d{};
	d.type = p2p ? P2pApiEvent : CollApiEvent;
	d.parent = group_api.handle;
	if (p2p)
		d.p2p_api = {function_names[o.function], o.count, type_name(o.type), o.stream, captured};
	else
		d.coll_api = {function_names[o.function], o.count, type_name(o.type), o.peer, o.stream, captured};
	o.group_api = group_api.handle;
	end(o.api = begin(comm, &d));
}

// Broadcasts of 2.29 and later lose the mask on their way through the queue for all-gathers of unequal parts, and
// symmetric kernels never had one: neither has an event of a task. One rank alone has no task at all.
static bool has_task(ncclComm *comm, const Operation &o) {
	if (o.function < Tuned)
		return comm->ranks > 1 && !o.symmetric && !(o.function == Broadcast && release() >= 22900 && env_number("NCCL_ALLGATHERV_ENABLE", 1));
	return true;
}

void profile_launch(ncclComm *comm, std::vector<Operation> &all, bool beginning) {
	if (!beginning) {
		end(launch_handle);
		launch_handle = nullptr;
		return;
	}
	if (!raises_api(KernelLaunchEvent) || !has_task(comm, all[0]))
		return;
	Descriptor5 d{};
	d.type = KernelLaunchEvent;
	d.parent = all[0].group_api;
	d.launch.stream = all[0].stream;
	launch_handle = begin(comm, &d);
}

template <typename D> static void *begin_group(ncclComm *comm) {
	D d{};
	d.type = GroupEvent;
	return begin(comm, &d);
}

static void *begin_coll(ncclComm *comm, Operation &o, void *group) {
	const char *func = function_names[o.function], *type = type_name(o.type), *algo = algorithm_names[o.algorithm], *proto = protocol_names[o.protocol];
	const char *name = comm->config.commName ? comm->name.c_str() : nullptr;
	uint64_t sequence = comm->sequence[o.function];
	auto channels = uint8_t(o.channels), warps = uint8_t(16);
	size_t traffic = o.count * type_size(o.type) * (o.function == AllReduce ? 2 : 1);
	bool collnet = o.algorithm == CollNetDirect || o.algorithm == CollNetChain || (o.algorithm == NVLS && comm->nodes > 1);
	auto common = [&](auto d) {
		d.type = CollEvent;
		d.parent = group;
		d.rank = comm->rank;
		return d;
	};
	switch (interface) {
	case 1: {
		auto d = common(Descriptor1{});
		d.coll = {name, comm->hash, sequence, uint8_t(o.function), o.send, o.receive, o.count, o.peer, uint8_t(o.type), uint32_t(o.op), traffic, channels, warps,
			uint8_t(o.algorithm), uint8_t(o.protocol), collnet, o.algorithm == NVLS || o.algorithm == NVLSTree};
		return begin(comm, &d);
	}
	case 2: {
		auto d = common(Descriptor2{});
		d.coll = {name, comm->hash, sequence, func, o.send, o.receive, o.count, o.peer, type, traffic, channels, warps, algo, proto};
		return begin(comm, &d);
	}
	case 3: {
		auto d = common(Descriptor3{});
		d.coll = {name, comm->hash, sequence, func, o.send, o.receive, o.count, o.peer, type, channels, warps, algo, proto};
		return begin(comm, &d);
	}
	case 4: {
		auto d = common(Descriptor4{});
		d.coll = {sequence, func, o.send, o.receive, o.count, o.peer, type, channels, warps, algo, proto};
		return begin(comm, &d);
	}
	default: {
		auto d = common(Descriptor5{});
		d.parent = o.api;
		d.coll = {sequence, func, o.send, o.receive, o.count, o.peer, type, channels, warps, algo, proto, group};
		return begin(comm, &d);
	}
	}
}

static void *begin_p2p(ncclComm *comm, Operation &o, void *group) {
	const char *func = function_names[o.function], *type = type_name(o.type), *name = comm->config.commName ? comm->name.c_str() : nullptr;
	void *buffer = o.function == Send ? const_cast<void *>(o.send) : o.receive;
	auto common = [&](auto d) {
		d.type = P2pEvent;
		d.parent = group;
		d.rank = comm->rank;
		return d;
	};
	switch (interface) {
	case 1: {
		auto d = common(Descriptor1{});
		d.p2p = {name, comm->hash, uint8_t(o.function), buffer, uint8_t(o.type), o.count, o.peer};
		return begin(comm, &d);
	}
	case 2: {
		auto d = common(Descriptor2{});
		d.p2p = {name, comm->hash, func, buffer, type, o.count, o.peer};
		return begin(comm, &d);
	}
	case 3: {
		auto d = common(Descriptor3{});
		d.p2p = {name, comm->hash, func, buffer, type, o.count, o.peer};
		return begin(comm, &d);
	}
	case 4: {
		auto d = common(Descriptor4{});
		d.p2p = {func, buffer, type, o.count, o.peer, 1};
		return begin(comm, &d);
	}
	default: {
		auto d = common(Descriptor5{});
		d.parent = o.api;
		d.p2p = {func, buffer, type, o.count, o.peer, 1, group};
		return begin(comm, &d);
	}
	}
}

// A group's tasks: the group, its operations, then their ends in the same order and the group's.
void profile_tasks(ncclComm *comm, std::vector<Operation> &all) {
	bool any = false;
	for (auto &o : all)
		any = any || has_task(comm, o);
	if (!any || !plugin || !(mask & (GroupEvent | of_tasks)))
		return;
	void *group = interface == 1 ? begin_group<Descriptor1>(comm) : interface == 2 ? begin_group<Descriptor2>(comm) : interface == 3 ? begin_group<Descriptor3>(comm)
		: interface == 4 ? begin_group<Descriptor4>(comm) : begin_group<Descriptor5>(comm);
	for (auto &o : all) {
		bool p2p = o.function == Send || o.function == Recv;
		if (!has_task(comm, o) || !(mask & (p2p ? of_p2ps : of_colls)))
			continue;
		o.event = p2p ? begin_p2p(comm, o, group) : begin_coll(comm, o, group);
		comm->sequence[o.function]++;
	}
	for (auto &o : all)
		end(o.event);
	end(group);
}

static uint64_t nanoseconds() {
	timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return uint64_t(t.tv_sec) * 1000000000u + uint64_t(t.tv_nsec);
}

// One event per channel of a collective's kernel, from 2.26 and the third interface on.
void profile_kernel(ncclComm *comm, const Operation &o, bool beginning, std::vector<void *> &handles) {
	if (!plugin || interface < 3 || release() < 22600 || !(mask & KernelChEvent) || !has_task(comm, o))
		return;
	for (int c = 0; beginning && c < o.channels; c++) {
		Descriptor3 three{};
		Descriptor4 four{};
		Descriptor5 five{};
		auto set = [&](auto &d) {
			d.type = KernelChEvent;
			d.parent = o.event;
			d.kernel.channel = uint8_t(c);
		};
		set(three), set(four), set(five);
		four.kernel.timer = five.kernel.timer = nanoseconds();
		handles.push_back(begin(comm, interface == 3 ? static_cast<void *>(&three) : interface == 4 ? static_cast<void *>(&four) : &five));
	}
	for (size_t i = 0; !beginning && i < handles.size(); i++) {
		KernelState state{};
		state.timer = nanoseconds();
		if (interface >= 4 && handles[i])
			plugin->record(handles[i], KernelChStop, &state);
		end(handles[i]);
	}
}

} // namespace softgpu
