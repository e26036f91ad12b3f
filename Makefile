# What there is to do here; `make` alone lists it. The work is done by Go
# programs that build what they need: the launcher (cmd/devstack) finds or gets
# Postgres and Temporal, and builds the tools that tools/*/go.mod pin, each in a
# module of its own so that none moves the versions of another.

SHELL := /bin/sh
DEVSTACK := .tools/bin/devstack
# How long the tests of one package may take, which is what go test bounds; for
# all together see .ci/run. In a fresh checkout Temporal is built before that
# clock starts.
TEST_TIMEOUT ?= 30m
# What `make test` runs: make test TESTS=./store TESTFLAGS='-run Migrate -v'
TESTS ?= ./...
TESTFLAGS ?=
BENCHFLAGS ?=
LOADFLAGS ?=
# How long `make fuzz` sends requests made of anything, builds and start not counted.
FUZZTIME ?= 30s
# How long `make faults` does harm; what else it takes comes on top. FAULTSFLAGS may
# name a seed, see docs/development.md.
FAULTSTIME ?= 30m
FAULTSFLAGS ?=
# How many people `make sample-csv` makes up.
N ?= 20000

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: launcher ## everything on this machine, with a demo organisation, until Ctrl-C
	@exec $(DEVSTACK) up

.PHONY: test
test: launcher ## every test, with the race detector, on a real Postgres and a real Temporal, and fuzz
	@exec $(DEVSTACK) exec -- go test -race -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(TESTS)
ifeq ($(TESTS)$(TESTFLAGS),./...)
	@exec $(MAKE) --no-print-directory fuzz
endif

.PHONY: fuzz
fuzz: launcher ## send the API requests made of anything: make fuzz FUZZTIME=10m
	@exec $(DEVSTACK) exec -- go test -run '^$$' -fuzz '^FuzzAPI$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 20x -parallel 2 ./cmd/api

.PHONY: faults
faults: launcher ## harm the running system under load and see that nothing is lost: make faults FAULTSTIME=10m
	@go build -o .tools/bin/faults ./e2e/faults
	@exec .tools/bin/faults -for $(FAULTSTIME) $(FAULTSFLAGS)

.PHONY: release
release: launcher ## record what this version leaves behind, for later ones to go on with: make release VERSION=0.6
	@test -n "$(VERSION)" || { echo 'VERSION is needed, as in make release VERSION=0.6' >&2; exit 2; }
	@GATEHOUSE_TEST_RELEASE=$(VERSION) $(DEVSTACK) exec -- go test -count=1 -run '^TestRecordRelease$$' ./e2e

.PHONY: check
check: launcher ## what can be said without running: format, linters, generated files, modules
	@exec .ci/check

.PHONY: bench
bench: ## measure against baselines; prints ratios and writes bench/results/latest.json
	@mkdir -p .tools/bin
	@go build -o .tools/bin/bench ./bench
	@exec .tools/bin/bench $(BENCHFLAGS)

.PHONY: load
load: ## offer more than can be borne: make load LOADFLAGS="-copies 2 -for 1m"
	@mkdir -p .tools/bin
	@go build -o .tools/bin/load ./bench/load
	@exec .tools/bin/load $(LOADFLAGS)

.PHONY: sample-csv
sample-csv: launcher ## write sample.csv, N people ready to be uploaded: make sample-csv N=20000
	@$(DEVSTACK) sample $(N) > sample.csv

.PHONY: generate
generate: launcher ## write the generated files anew
	@tool=$$($(DEVSTACK) tool oapi-codegen) && cd httpapi && $$tool -config oapi-codegen.yaml openapi.yaml

.PHONY: build
build: ## the programs, static, into bin/
	CGO_ENABLED=0 go build -trimpath -o bin/ ./cmd/api ./cmd/worker ./cmd/migrate ./cmd/admin

.PHONY: fmt
fmt: ## format all Go files
	@gofmt -w $$(git ls-files --cached --others --exclude-standard '*.go')

.PHONY: tools
tools: launcher ## build all pinned tools now (some minutes, once)
	@for tool in tools/*/; do $(DEVSTACK) tool $$(basename $$tool) || exit 1; done

.PHONY: clean-state
clean-state: launcher ## remove the state of `make run`: databases, logs, passwords
	@$(DEVSTACK) clean

.PHONY: launcher
launcher:
	@mkdir -p .tools/bin
	@go build -o $(DEVSTACK) ./cmd/devstack
