# Two commands for a newcomer: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-sqlite test-postgresql faults check bench clean

demo: $(READY)
	$(BIN)/python manage.py migrate --verbosity 0
	$(BIN)/python manage.py seed_demo
	$(BIN)/python manage.py demo

test: test-sqlite test-postgresql

test-sqlite test-postgresql: test-%: $(READY)
	FORGE_JOBS_TEST_DATABASE=$* $(BIN)/python -m pytest

# Real networks, promotions and clocks that go wrong under many jobs: apart, for it takes long, and
# wants root. A seed of 0 draws one, and says which.
JOBS ?= 5000
SEED ?= 0
PROCESS_TIMEOUT ?= 30
faults: $(READY)
	.ci/install faketime ip:iproute2
	FORGE_JOBS_FAULTS_JOBS=$(JOBS) FORGE_JOBS_FAULTS_SEED=$(SEED) \
	FORGE_JOBS_TEST_PROCESS_TIMEOUT=$(PROCESS_TIMEOUT) \
	$(BIN)/python -m pytest -s -rs -o python_files='fault_*.py' tests/faults/at_size

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files '*.html' | xargs $(BIN)/djade --check
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(READY)
	$(BIN)/pip install --quiet --editable '.[bench]'
	$(BIN)/python -m benchmarks

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]' $(DJANGO)
	@touch $@

clean:
	rm -rf $(VENV) sample_project/var
