# What one can do here. Every target sets up what it needs; `make` alone lists them.
# The same targets run by hand and in .ci/run. Settings: PROVIDER (run, kodi), SERVER (kodi), PYTHON,
# NO_APT=1, PYTEST_ARGS, PLATFORMS.

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
export PYTHON

BIN := .venv/bin
# There is only one: package.py removes older ones.
ZIP := dist/script.sessionkeeper-*.zip
# The module must not look for a libpython: one file serves every Python from 3.8 on.
WITHOUT_LIBPYTHON := PYO3_BUILD_EXTENSION_MODULE=1 PYO3_NO_PYTHON=1
# What is shipped names no directory of the machine that built it. Both release builds use the same
# flags, so that the second one finds the work of the first.
CARGO_DIRECTORY := $(or $(CARGO_HOME),$(HOME)/.cargo)
RELEASE := RUSTFLAGS="--remap-path-prefix=$(CARGO_DIRECTORY)=/cargo --remap-path-prefix=$(CURDIR)=/sessionkeeper"

# Without it, what needs it says so.
node = .ci/setup node || printf '%s\n' '== LEFT OUT: what needs the stand-in server of oidc'
say = printf '\n== %s\n' "$(1)"

.PHONY: help setup build run test test-rust test-python test-kodi kodi bench soak package lint format clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

setup:
	@.ci/setup compiler
	@.ci/setup venv

build: setup ## compile the module; leaves .venv/bin/sessionkeeper working
	@$(call say,compiling the module)
	@$(RELEASE) VIRTUAL_ENV="$(CURDIR)/.venv" timeout 1200 $(BIN)/maturin develop --release --locked --quiet
	@$(BIN)/sessionkeeper providers >/dev/null  # it loads

run: build ## show the main job with a server on this machine; PROVIDER=angel, oidc, …, all
	@$(if $(filter oidc all,$(PROVIDER)),$(node))
	@$(call say,the main job: $(or $(PROVIDER),angel))
	@timeout 300 $(BIN)/python -m tests.servers.demo $(PROVIDER)

test: test-rust test-python test-kodi ## every test: Rust, Python, a real Kodi where it can be had

test-rust: setup
	@$(call say,tests in Rust)
	@timeout 1500 cargo test --locked

test-python: build
	@$(node)
	@$(call say,tests in Python)
	@timeout 900 $(BIN)/python -m pytest tests/python $(PYTEST_ARGS)

test-kodi: package
	@$(call say,tests in a real Kodi)
	@$(node)
	@if .ci/setup kodi; then \
		SESSIONKEEPER_ZIP=$$(realpath $(ZIP)) timeout 1800 $(BIN)/python -m pytest tests/kodi $(PYTEST_ARGS); \
	else \
		printf '%s\n' '== LEFT OUT: the tests in a real Kodi (see above for what they need)'; \
	fi

soak: build package ## every test in its long form: hours, not minutes
	@$(call say,long tests)
	@$(node)
	@.ci/setup kodi || printf '%s\n' '== LEFT OUT: the long tests in a real Kodi'
	@SESSIONKEEPER_LONG=1 cargo test --locked --lib vault
	@SESSIONKEEPER_KILLS=50 SESSIONKEEPER_ZIP=$$(realpath $(ZIP)) \
		$(BIN)/python -m pytest tests/python tests/kodi --timeout 36000 $(PYTEST_ARGS)

bench: build ## measure ours beside the peers
	@$(call say,measuring)
	@timeout 300 $(BIN)/python -m pip install --quiet --disable-pip-version-check -r benches/requirements.txt
	@$(BIN)/python -m benches $(ARGS)

package: setup ## the add-on's zip in dist/, checked
	@$(call say,packaging)
	@$(RELEASE) timeout 1200 $(BIN)/python .ci/package.py $(if $(PLATFORMS),--platforms $(PLATFORMS))
	@timeout 300 $(BIN)/python .ci/check_package.py $(ZIP)

kodi: package ## open a Kodi with the add-on; PROVIDER=… chooses one, SERVER=… one on this machine
	@.ci/setup kodi
	@$(if $(filter oidc,$(SERVER)),.ci/setup node)
	@$(BIN)/python .ci/open_kodi.py $(ZIP) $(if $(SERVER),--server $(SERVER),$(if $(PROVIDER),--provider $(PROVIDER)))

lint: build ## formatting, clippy, ruff, mypy, the stub, licences
	@.ci/setup lint
	@$(call say,rustfmt)
	@cargo fmt --check
	@$(call say,clippy: the core)
	@timeout 600 cargo clippy --locked --all-targets --quiet -- -D warnings
	@$(call say,clippy: with the boundary to Python)
	@$(WITHOUT_LIBPYTHON) timeout 600 cargo clippy --locked --all-targets --features python --quiet -- -D warnings
	@$(call say,ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(call say,mypy)
	@timeout 300 $(BIN)/python -m mypy
	@$(call say,stubtest)
	@timeout 300 $(BIN)/python -m mypy.stubtest sessionkeeper._native
	@$(call say,cargo deny)
	@if cargo deny --version >/dev/null 2>&1; then timeout 300 cargo deny --locked check; \
	else printf '%s\n' 'left out: cargo-deny is not installed (cargo install cargo-deny)'; fi

format: setup ## put the sources into the shape that lint wants
	@cargo fmt
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

clean: ## remove what was built, and .venv
	rm -rf target dist .venv
	find python tests benches -name __pycache__ -prune -exec rm -rf {} +
	rm -f python/sessionkeeper/_native*.so
