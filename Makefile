# Two commands from an empty machine: `make nightly` (a published warehouse), `make test` (every test).
# Each target makes its own environment; nothing is installed outside .venv*.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
N ?= 40
ONLY ?=
PIP := -m pip install -qq --disable-pip-version-check --no-compile
# bytecode at once and side by side: without it each start reads thousands of sources anew
COMPILE := -m compileall -q -j 0
CODE := sources assets pipelines tests bench

.PHONY: help setup setup-dev nightly test check lint types bench crash serve lock new-source clean

help:  ## show what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements/runtime.lock pyproject.toml | $(BIN)/python
	@echo "setting up: installing locked dependencies (once)"
	$(BIN)/python $(PIP) --require-hashes -r requirements/runtime.lock
	$(BIN)/python $(PIP) --no-deps --no-build-isolation -e .
	@$(BIN)/python $(COMPILE) $(VENV)/lib $(CODE) > /dev/null || true
	@touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.runtime
	@echo "setting up: installing locked test tools (once)"
	$(BIN)/python $(PIP) --require-hashes -r requirements/dev.lock
	@$(BIN)/python $(COMPILE) $(VENV)/lib $(CODE) > /dev/null || true
	@touch $@

.venv-bench/.ready: requirements/bench.lock
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python $(PIP) --require-hashes -r requirements/bench.lock
	@touch $@

setup: $(VENV)/.runtime  ## make the environment that runs the product
setup-dev: $(VENV)/.dev  ## and the tools that check it

nightly: setup  ## one night: extract, load, build, check, publish (sandbox without accounts)
	@$(BIN)/aftersales nightly

test: setup-dev  ## every test
	@$(BIN)/python -m pytest -n auto --no-loadscope-reorder --durations 15

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/sqlfluff lint dbt_project/models --disable-progress-bar --processes 2

types: setup-dev
	@$(BIN)/mypy

check: setup-dev  ## what CI runs: lint, import contracts, types, every test
	@$(MAKE) --no-print-directory -j2 lint types
	@$(MAKE) --no-print-directory test

bench: setup-dev .venv-bench/.ready  ## measured ratios; ONLY=name for one
	@$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY))

crash: setup-dev  ## kill the night at N points and compare
	@$(BIN)/python -m tests.crash --points $(N)

serve: setup  ## Dagster UI and daemon, schedules and sensors on
	@$(BIN)/aftersales serve

lock: setup-dev  ## compile the requirements files anew
	@for name in runtime dev bench; do \
	  $(BIN)/python -m uv pip compile requirements/$$name.in --generate-hashes --no-emit-index-url \
	    --no-emit-find-links --no-strip-extras --python-version 3.11 \
	    --custom-compile-command "make lock" -q -o requirements/$$name.lock || exit 1; \
	done

new-source: setup  ## name=x: copy the template of a connector
	@$(BIN)/python -m sources._template $(name)

clean:
	rm -rf $(VENV) .venv-bench data build
