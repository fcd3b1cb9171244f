# What one can do here. Every target sets up what it needs; `make` alone lists them.
# The same targets run by hand and in .ci/run. Settings: PROVIDER (run, kodi), SERVER (kodi), PYTHON,
# NO_APT=1, PYTEST_ARGS, PLATFORMS (package), ARGS (bench, fuzz, mutants), CASES (reliability).

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

PYTHON ?= python3
PROVIDER ?=
SERVER ?=
PLATFORMS ?=
PYTEST_ARGS ?=
CASES ?= short
export PYTHON PYTEST_ARGS CASES

BIN := .venv/bin
# There is only one: package.py removes older ones.
ZIP := dist/script.sessionkeeper-*.zip
PROVIDERS_ZIP := dist/resource.sessionkeeper.providers-*.zip
# What is shipped names no directory of the machine that built it.
CARGO_DIRECTORY := $(or $(CARGO_HOME),$(HOME)/.cargo)
RELEASE := RUSTFLAGS="--remap-path-prefix=$(CARGO_DIRECTORY)=/cargo --remap-path-prefix=$(CURDIR)=/sessionkeeper"

# Without it, what needs it says so.
node = .ci/setup node || printf '%s\n' '== LEFT OUT: what needs the stand-in server of oidc'
servers = for part in clients synapse mediawiki; do .ci/setup $$part || printf '== LEFT OUT: what needs %s\n' $$part; done
kodi = .ci/setup kodi || printf '%s\n' '== LEFT OUT: the tests in a real Kodi'
say = printf '\n== %s\n' "$(1)"

.PHONY: help setup build run check test test-rust test-python test-kodi reliability kodi fuzz mutants bench soak package lint format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

setup:
	@.ci/setup compiler
	@.ci/setup venv

build: setup ## compile the module; leaves .venv/bin/sessionkeeper working
	@$(call say,compiling the module)
	@$(RELEASE) VIRTUAL_ENV="$(CURDIR)/.venv" timeout 3600 $(BIN)/maturin develop --release --locked --quiet
	@$(BIN)/sessionkeeper providers >/dev/null  # it loads

run: build ## show the main job with a server on this machine; PROVIDER=angel, jellyfin, …, all
	@$(if $(filter oidc all,$(PROVIDER)),$(node))
	@$(call say,the main job: $(or $(PROVIDER),angel))
	@timeout 500 $(BIN)/python -m tests.servers.demo $(PROVIDER)

check: lint test-rust test-python ## before a pull request: everything that needs no Kodi

test: package ## every test: Rust, Python, the fault lab, a real Kodi where it can be had
	@$(node)
	@$(kodi)
	@.ci/beside ".ci/test rust && .ci/test python && .ci/test reliability" ".ci/test kodi"

test-rust: setup
	@.ci/test rust

test-python: build
	@.ci/test python

test-kodi: package
	@.ci/test kodi

reliability: build ## the fault lab: a disk that fails under every step; CASES=short, all or how many
	@.ci/test reliability

soak: package ## every test in its long form: hours, not minutes
	@$(call say,long tests)
	@$(node)
	@$(servers)
	@$(kodi)
	@SESSIONKEEPER_LONG=1 cargo test --locked --lib vault
	@SESSIONKEEPER_KILLS=50 SESSIONKEEPER_ZIP=$$(realpath $(ZIP)) \
		$(BIN)/python -m pytest tests/python tests/kodi --timeout 36000 $(PYTEST_ARGS)
	@CASES=all .ci/test reliability

fuzz: ## what must hold for any bytes, under libFuzzer; ARGS="SECONDS TARGET…", 60 s each by default
	@.ci/fuzz $(ARGS)

mutants: setup ## break what ends a session, place by place, for a Rust test to notice: hours
	@cargo mutants --version >/dev/null 2>&1 || cargo install --locked cargo-mutants
	@cargo mutants --output target $(ARGS)

bench: build package ## measure ours beside other libraries, and write docs/benchmarks.md
	@$(call say,measuring)
	@timeout 300 $(BIN)/python -m pip install --quiet --disable-pip-version-check -r benches/requirements.txt || \
		printf '%s\n' '== LEFT OUT: the libraries that cannot be installed'
	@.ci/setup kodi || printf '%s\n' '== LEFT OUT: the measurements in a real Kodi'
	@SESSIONKEEPER_ZIP=$$(realpath $(ZIP)) timeout 900 $(BIN)/python -m benches $(ARGS)

package: build ## the add-on's zip in dist/, and that of the services alone, checked
	@$(call say,packaging)
	@$(RELEASE) timeout 3600 $(BIN)/python .ci/package.py \
		$(if $(PLATFORMS),--platforms $(PLATFORMS),--module python/sessionkeeper/_native.abi3.so)
	@timeout 300 $(BIN)/python .ci/check_package.py $(ZIP) $(PROVIDERS_ZIP)

kodi: package ## open a Kodi with the add-on; PROVIDER=… chooses one, SERVER=… one on this machine
	@.ci/setup kodi
	@$(if $(filter oidc,$(SERVER)),.ci/setup node)
	@$(BIN)/python .ci/open_kodi.py $(ZIP) $(if $(SERVER),--server $(SERVER),$(if $(PROVIDER),--provider $(PROVIDER)))

lint: ## formatting, clippy, ruff, mypy, the stub, licences
	@.ci/setup compiler
	@.ci/beside ".ci/lint rust" "$(MAKE) build && .ci/lint python"

format: setup ## put the sources into the shape that lint wants
	@cargo fmt
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

clean: ## remove what was built, and .venv
	rm -rf target dist .venv
	find python tests benches -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/sessionkeeper/_native*.so
