# Every chore of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(READY) ## install everything into .venv (every other target calls this when needed)

$(READY): pyproject.toml requirements/uv.txt requirements/dev.txt aib_emulator/azurite/package-lock.json
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || python3 -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	npm_config_cache="$${npm_config_cache:-$$HOME/.npm}" $(BIN)/aib-emulator install-azurite
	@touch $(READY)

.PHONY: lock
lock: $(READY) ## compile the hashed requirement files anew
	$(BIN)/uv pip compile requirements/uv.in -o requirements/uv.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile pyproject.toml --extra emulator -o requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile pyproject.toml --extra emulator --group dev -o requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
