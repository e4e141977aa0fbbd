# Two commands for a newcomer: `make demo` and `make test`; `make help` lists all. What they need lives
# in .venv. A target is listed if it says after "##" what it does.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Images of Python often ask for no bytecode: then each of hundreds of processes compiles all of it anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-sqlite test-postgresql faults upgrade cluster judge check openapi bench bench-large clean

help: ## list these
	@awk -F ':.*## ' '/^[a-z].*:.*## / { printf "make %-28s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## run the picture gallery and its jobs on SQLite
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py seed_demo
	$(BIN)/python manage.py demo

test: test-sqlite test-postgresql ## run the suite, on both databases

# Several at a time, each with a database of its own, for they wait as much as they work.
WORKERS ?= auto
test-sqlite test-postgresql: test-%: $(READY) ## run it on one of them
	FORGE_JOBS_TEST_DATABASE=$* $(BIN)/python -m pytest \
	--numprocesses=$(WORKERS) --dist=loadfile --no-loadscope-reorder

# Apart from the suite, for they take long and want root. A seed of 0 draws one, and says which.
JOBS ?= 5000
SEED ?= 0
PROCESS_TIMEOUT ?= 30
faults: $(READY) ## cut networks, kill primaries and turn clocks under many jobs
	.ci/install faketime ip:iproute2
	FORGE_JOBS_FAULTS_JOBS=$(JOBS) FORGE_JOBS_FAULTS_SEED=$(SEED) \
	FORGE_JOBS_TEST_PROCESS_TIMEOUT=$(PROCESS_TIMEOUT) \
	$(BIN)/python -m pytest -s -rs -o python_files='fault_*.py' tests/faults/at_size

# The suite does it from the release before this one.
upgrade: $(READY) ## upgrade from another commit under traffic, as in: make upgrade FROM=origin/main
	git rev-parse --verify '$(FROM)^{commit}'
	for database in sqlite postgresql; do \
	FORGE_JOBS_TEST_UPGRADE_FROM='$(FROM)' FORGE_JOBS_TEST_DATABASE=$$database \
	$(BIN)/python -m pytest tests/upgrades || exit 1; done

# Wants root, for hosts are network namespaces, and Debian for the programs, whose packages it installs.
cluster: $(READY) ## take the primary from a PostgreSQL cluster, three times in a row, under load
	.ci/install etcd:etcd-server patroni pgbouncer pg_ctlcluster:postgresql ip:iproute2 curl
	examples/cluster/cluster down
	CLUSTER_PYTHON=$(abspath $(BIN)/python) examples/cluster/cluster up
	$(BIN)/python examples/cluster/failovers.py
	examples/cluster/cluster down

# These are small in the suite, and therefore always part of it.
SIZED := tests/faults/test_sets.py tests/sets/test_graphs.py
judge: $(READY) ## run at full size what the suite has in small, and what takes an hour
	FORGE_JOBS_TEST_SIZE=full FORGE_JOBS_TEST_DATABASE=sqlite $(BIN)/python -m pytest -m full_size
	FORGE_JOBS_TEST_SIZE=full FORGE_JOBS_TEST_DATABASE=postgresql $(BIN)/python -m pytest -m full_size
	FORGE_JOBS_TEST_SIZE=full FORGE_JOBS_TEST_DATABASE=sqlite $(BIN)/python -m pytest --timeout=3600 $(SIZED)
	FORGE_JOBS_TEST_SIZE=full FORGE_JOBS_TEST_DATABASE=postgresql $(BIN)/python -m pytest --timeout=3600 $(SIZED)
	FORGE_JOBS_TEST_DATABASE=sqlite $(BIN)/python -m pytest --on-demand

check: $(READY) ## look at style, types, layers, templates, migrations and what the API promises
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files '*.html' | xargs $(BIN)/djade --check
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(OPENAPI) | diff docs/openapi.json - # if it is meant to change: make openapi

OPENAPI := DJANGO_SETTINGS_MODULE=sample_project.settings $(BIN)/python -m forge_jobs.api.openapi
openapi: $(READY) ## write down anew what the API promises
	$(OPENAPI) > docs/openapi.json

ROWS ?= 10000000
bench: $(READY) ## measure it beside its peers, which takes long
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks

bench-large: $(READY) ## measure it with ten million jobs in the table, which takes longer
	$(BIN)/python -m benchmarks large --jobs $(ROWS)

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]' $(VERSIONS)
	@touch $@

clean: ## remove the environment, and what the demo has stored
	rm -rf $(VENV) sample_project/var
