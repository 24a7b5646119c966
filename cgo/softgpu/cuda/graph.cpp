// Stands for libcuda's graphs, as far as they're made by capture: the order of submission keeps every dependency, so a
// graph is that list, carried out in order by the stream that launches it. A stand-in for tests only.
#include "driver.h"

using namespace softgpu;

typedef CUgraphExec_st *CUgraphExec;

static const CUresult illegal_state = 401;

SOFTGPU_API CUresult cuStreamBeginCapture_v2(CUstream s, int /* mode */) {
	if (auto rc = check())
		return rc;
	if (uintptr_t(s) <= 2)
		return CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED; // the NULL stream can't be captured
	if (s->capture)
		return illegal_state;
	s->capture = std::make_shared<Capture>(Capture{new CUgraph_st, s, {}});
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamIsCapturing(CUstream s, int *status) {
	if (auto rc = check())
		return rc;
	*status = stream(s)->capture ? 1 : 0;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuStreamEndCapture(CUstream s, CUgraph *graph) {
	if (auto rc = check())
		return rc;
	auto capture = uintptr_t(s) <= 2 ? nullptr : s->capture;
	if (!capture)
		return illegal_state;
	if (capture->origin != s)
		return CUDA_ERROR_STREAM_CAPTURE_UNMATCHED;
	*graph = capture->graph;
	capture->graph = nullptr;
	for (auto other : capture->joined)
		other->capture = nullptr;
	s->capture = nullptr;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuGraphCreate(CUgraph *graph, unsigned) {
	*graph = new CUgraph_st;
	return check();
}

SOFTGPU_API CUresult cuGraphDestroy(CUgraph graph) {
	delete graph;
	return CUDA_SUCCESS;
}

// Nodes have no handles: their number can be asked, they themselves can't.
SOFTGPU_API CUresult cuGraphGetNodes(CUgraph graph, void **nodes, size_t *count) {
	if (nodes)
		return CUDA_ERROR_NOT_SUPPORTED;
	*count = graph->nodes.size();
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuGraphInstantiateWithFlags(CUgraphExec *made, CUgraph graph, unsigned long long) {
	if (auto rc = check())
		return rc;
	*made = new CUgraphExec_st{std::make_shared<std::vector<Work>>(graph->nodes)};
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuGraphInstantiate_v2(CUgraphExec *made, CUgraph graph, void **, char *, size_t) {
	return cuGraphInstantiateWithFlags(made, graph, 0);
}

SOFTGPU_API CUresult cuGraphExecDestroy(CUgraphExec graph) {
	delete graph;
	return CUDA_SUCCESS;
}

SOFTGPU_API CUresult cuGraphUpload(CUgraphExec, CUstream) { return check(); }

SOFTGPU_API CUresult cuGraphLaunch(CUgraphExec graph, CUstream s) {
	if (auto rc = check())
		return rc;
	if (!graph)
		return CUDA_ERROR_INVALID_VALUE;
	stream(s)->submit([nodes = graph->nodes] {
		for (auto &node : *nodes)
			node();
	});
	return CUDA_SUCCESS;
}
