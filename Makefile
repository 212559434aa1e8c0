# Every chore of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PEERS := $(VENV)/peers
PYTHON ?=
PACKAGES := airflow_aib aib_emulator demo
SOURCES := $(PACKAGES) dags tests

# What belongs to the shell that calls make, and not to this project, must not reach the project's programs.
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV AIRFLOW_HOME

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(READY) ## install everything into .venv (every other target calls this when needed)

# The first of these that is Python 3.11 or newer makes the environment; `make setup PYTHON=/path/to/python` decides it.
$(BIN)/python:
	@for candidate in $(or $(PYTHON),python3.11 python3 python3.12 python3.13 python3.14); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec "$$candidate" -m venv $(VENV); \
	  fi; \
	done; \
	echo "make setup needs Python 3.11 or newer, and found none ($$(python3 --version 2>&1 || true))." \
	  "Install it, or name it: make setup PYTHON=/path/to/python3.11" >&2; exit 1

$(READY): pyproject.toml requirements/uv.txt requirements/dev.txt aib_emulator/azurite/package-lock.json | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	npm_config_cache="$${npm_config_cache:-$$HOME/.npm}" $(BIN)/aib-emulator install-azurite
	@touch $(READY)

.PHONY: demo
demo: $(READY) ## rebuild an image on a local Azure with a real Airflow, report, and stop everything
	@$(BIN)/python -m demo run

.PHONY: up
up: $(READY) ## the same, and leave everything running; says where and how to sign in
	@$(BIN)/python -m demo up

.PHONY: down
down: $(READY) ## end what `make up` left running
	@$(BIN)/python -m demo down

.PHONY: check
check: $(READY) ## lint, format, types, import contracts, documentation
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest tests/architecture -q -p no:randomly -m "not slow"

.PHONY: fix
fix: $(READY) ## mend what can be mended by itself: lint, format, the reference
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/python -m tests.architecture.reference_pages

# Programs that only tests run, against the emulator; a test of one that is not installed is skipped, unless
# AIB_CLIENTS_REQUIRED names it. One recipe each.
CLIENTS := $(VENV)/share/clients
.PHONY: clients
clients: $(CLIENTS)/azcopy/.ready $(CLIENTS)/old/.ready $(CLIENTS)/az/.ready ## install the clients that only tests run

$(CLIENTS)/azcopy/.ready: tests/contract/clients/azcopy/package-lock.json | $(READY)
	$(BIN)/python tests/contract/clients/install_azcopy.py $(@D) && touch $@

# An environment of its own: the pins of az contradict the project's.
$(CLIENTS)/az/.ready: requirements/az.txt | $(READY)
	$(BIN)/python -m venv --clear --without-pip $(@D)
	$(BIN)/uv pip sync --quiet --python $(@D)/bin/python --require-hashes --compile-bytecode requirements/az.txt
	@touch $@

# The SDK before the present one, beside which it cannot be installed.
$(CLIENTS)/old/.ready: requirements/old-clients.txt | $(READY)
	$(BIN)/python -m venv --clear --without-pip $(@D)
	$(BIN)/uv pip sync --quiet --python $(@D)/bin/python --require-hashes --compile-bytecode requirements/old-clients.txt
	@touch $@

# Tests wait more than they work: four at a time keep two processors busy.
.PHONY: test
test: check $(CLIENTS)/azcopy/.ready $(CLIENTS)/old/.ready ## checks, and all tests but those of test-az
	AIB_CLIENTS_REQUIRED=old $(BIN)/python -m pytest -n 4 --dist loadfile -m "not az"

.PHONY: test-az
test-az: $(CLIENTS)/az/.ready ## try the emulator with the unmodified az command line; about two minutes
	AIB_CLIENTS_REQUIRED=az $(BIN)/python -m pytest tests/contract/clients -n 2 --dist loadfile -m az

# What the deployment runs, and the databases beside it; each in a place of its own.
CHAOS := $(VENV)/chaos
SERVICES := $(VENV)/share/services
$(CHAOS)/.ready: requirements/deploy.txt pyproject.toml | $(READY)
	$(BIN)/python -m venv --clear --without-pip $(CHAOS)
	$(BIN)/uv pip sync --quiet --python $(CHAOS)/bin/python --require-hashes --compile-bytecode requirements/deploy.txt
	$(BIN)/uv pip install --quiet --python $(CHAOS)/bin/python --no-deps --no-build-isolation --editable .
	@touch $@

$(SERVICES)/.ready: tests/chaos/debian.py | $(READY)
	rm -rf $(SERVICES)
	$(BIN)/python -m tests.chaos.debian $(SERVICES)
	@touch $@

.PHONY: model
model: $(READY) ## look long for a way to lose a build or to start it twice; some ten minutes
	AIRFLOW_AIB_MODEL=long $(BIN)/python -m pytest tests/model

# SMALL=1 for a quick try; or `make chaos CHAOS_OPTIONS="--seed 7 --builds 30 --minutes 5"`.
CHAOS_OPTIONS ?= $(if $(SMALL),--builds 6 --minutes 3)
.PHONY: chaos
chaos: $(CHAOS)/.ready $(SERVICES)/.ready ## build many images while Airflow's processes are killed; within 20 minutes
	$(BIN)/python -m tests.chaos.run --services $(SERVICES) --airflow $(CHAOS)/bin/airflow $(CHAOS_OPTIONS)

.PHONY: bench
bench: $(READY) $(PEERS)/.ready $(CLIENTS)/azcopy/.ready ## measure beside named peers, and write docs/benchmarks.md
	$(BIN)/python -m tests.bench.run --peers $(PEERS)

# Peers have an environment of their own: their versions must not clash with ours.
$(PEERS)/.ready: requirements/bench.txt | $(READY)
	$(BIN)/python -m venv --clear --without-pip $(PEERS)
	$(BIN)/uv pip sync --quiet --python $(PEERS)/bin/python --require-hashes --compile-bytecode requirements/bench.txt
	@touch $(PEERS)/.ready

# LOCK is deploy (the provider, for Celery and PostgreSQL) or runtime (the provider and the emulator).
LOCK ?= deploy
.PHONY: install
install: $(BIN)/python ## install what runs in production into VENV, without tools; the container images call it
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements/$(LOCK).txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation .

.PHONY: lock
lock: $(READY) ## compile the hashed requirement files anew
	$(BIN)/uv pip compile requirements/uv.in -o requirements/uv.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile pyproject.toml --extra emulator --group build -o requirements/runtime.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile pyproject.toml --group deploy -o requirements/deploy.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile --group pyproject.toml:az -o requirements/az.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile pyproject.toml --extra emulator --group dev -o requirements/dev.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile --group pyproject.toml:old-clients -o requirements/old-clients.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet
	$(BIN)/uv pip compile --group pyproject.toml:bench -o requirements/bench.txt --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

.PHONY: clean
clean: ## end what runs, and remove all that was made here but .venv
	@test ! -x $(BIN)/python || for folder in .local/*/ .local/chaos/*/; do test ! -d "$$folder" || $(BIN)/python -m demo down --folder "$$folder"; done
	rm -rf .local build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +
