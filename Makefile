# collbench. `make help` lists the targets.

GO       ?= go
FUZZTIME ?= 10s
LAUNCHES ?= 20
ROUNDS   ?= 30
DEMO     ?= runs/demo-$(shell date -u +%Y%m%dT%H%M%SZ)
# A tree that git cannot or will not read is built without its commit.
BUILD    := $(if $(shell git rev-parse HEAD 2>/dev/null),,-buildvcs=false)
# go-nvml leaves the functions of libnvidia-ml to be found when they are first called; some systems' compilers would have
# the program look for them when it starts.
BUILD    += -ldflags=-extldflags=-Wl,-z,lazy
# It also wraps functions that NVIDIA calls deprecated, which gcc says of each.
export CGO_CFLAGS ?= -O2 -g -Wno-deprecated-declarations
# Packages are tested one after the other: many tests start processes and measure time.
TEST     := $(GO) test -p 1 -timeout 20m

.PHONY: build demo test race bench bench-mpi bench-mpi-backend bench-ucx bench-gate bench-gate-lab bench-pairs abi softgpu fuzz kernels kernels-check lint clean help

build: ## bin/collbench
	$(GO) build $(BUILD) -o bin/collbench ./cmd/collbench

demo: build ## ring against SHARP on a virtual cluster: a table and a report, in under three minutes
	bin/collbench lab --vms 8 --link 100Mbit --bytes 4MiB --algorithm ring,nvls,sharp --budget 45s --out $(DEMO)
	bin/collbench report $(DEMO)

test: ## build, vet and every test; FLAGS=-v, FLAGS=-short …
	$(GO) build $(BUILD) ./...
	$(GO) vet $(BUILD) ./...
	$(TEST) $(BUILD) $(FLAGS) ./...

race: ## the tests under the race detector, without those that measure for long
	CGO_ENABLED=1 $(TEST) $(BUILD) -race -short $(FLAGS) ./...

bench: ## benchmarks of the parts
	$(GO) test $(BUILD) -p 1 -run '^$$' -bench . $(FLAGS) ./...

bench-mpi: build ## the host all-reduce beside Open MPI, MPICH and Intel MPI, into docs/performance.md; takes long, alone
	scripts/mpi-peers
	$(GO) run $(BUILD) ./cmd/bench-mpi -launches $(LAUNCHES) -o docs/performance.md

bench-mpi-backend: build ## the MPI backend beside a plain MPI program, into docs/performance.md; takes long, alone
	scripts/mpi-peers
	$(GO) run $(BUILD) ./cmd/bench-mpi-backend -launches $(LAUNCHES) -o docs/performance.md

bench-ucx: build ## the UCX backend beside ucx_perftest of the same libraries, into docs/performance.md; a quarter of an hour, alone
	scripts/ucx-peer
	$(GO) run $(BUILD) ./cmd/bench-ucx -launches $(LAUNCHES) -o docs/performance.md

bench-gate: ## what rules of gating make of a simulated machine, into docs/gating.md; some minutes
	$(GO) run $(BUILD) ./cmd/bench-gate -o docs/gating.md

bench-gate-lab: build ## the virtual cluster with a slowed link and without, ROUNDS times; takes a quarter of an hour, alone
	$(GO) run $(BUILD) ./cmd/bench-gate-lab -rounds $(ROUNDS)

bench-pairs: build ## a virtual cluster with a slow VM, direction or route, and without: who is named; twenty minutes, alone
	$(GO) run $(BUILD) ./cmd/bench-pairs

abi: ## derive the tables of facts about CUDA's, NCCL's and UCX's headers again, and try NVIDIA's own libnccl; downloads 4 GB
	scripts/abi
	$(GO) test $(BUILD) -count 1 ./cgo/cuda ./cgo/nccl ./cgo/ucx -run Declarations -update
	$(GO) test $(BUILD) -count 1 -v ./cgo/nccl -run RealLibrary -real

softgpu: ## stand-ins for libcuda, libnccl and libnvidia-ml into build/softgpu, for tests without a GPU; needs g++
	$(MAKE) -C cgo/softgpu -s OUT=$(CURDIR)/build/softgpu

fuzz: ## every fuzz test for FUZZTIME
	@for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test $(BUILD) -list '^Fuzz' $$package | grep '^Fuzz'); do \
	    echo "$$package $$target"; \
	    $(GO) test $(BUILD) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package || exit 1; \
	  done; \
	done

kernels: ## compile the GPU kernels into kernels/bin, with a compiler from PyPI; no GPU needed
	scripts/kernels

kernels-check: ## compile them again beside, compare every byte, and look into the cubins
	scripts/kernels build/kernels
	diff -r kernels/bin build/kernels
	$(GO) test $(BUILD) -count 1 ./kernels

lint: ## gofmt, vet for both architectures, and the rules of the house
	@files=$$(gofmt -l .); [ -z "$$files" ] || { echo "gofmt would change: $$files"; exit 1; }
	$(GO) vet $(BUILD) ./...
	CGO_ENABLED=0 GOARCH=arm64 $(GO) vet $(BUILD) ./...
	$(GO) test $(BUILD) -count 1 ./internal/lint

clean: ## remove what was built; runs/ stays
	rm -rf bin build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "%-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
