# Two commands on a fresh machine: `make run` and `make test`. Everything they need goes into .venv.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := requirements/dev.lock

.DEFAULT_GOAL := help
.PHONY: help install run test lint format bench soak screenshots schema lock

help:            ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

install: $(VENV)/ready   ## make .venv with everything, from the lock

$(VENV)/ready: $(LOCK) pyproject.toml tools/install
	@PYTHON="$(PYTHON)" sh tools/install "$(VENV)" "$(LOCK)"
	@touch $@

run: install     ## the demo: a small shop's inbox on http://127.0.0.1:8025
	@$(BIN)/balas run --demo

test: install    ## the whole suite on SQLite; what needs a missing program is skipped and says so
	@$(BIN)/pytest -q -n 2 --dist loadgroup $(ARGS)

lint: install    ## ruff, mypy, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: install  ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install   ## speed and memory, as ratios within one run
	@$(BIN)/python -m benchmarks $(ARGS)

soak: install    ## long seeded runs: kills, SMTP faults, fuzzing; resumable
	@BALAS_SOAK=1 $(BIN)/python -m tests.soak $(ARGS)

screenshots: install  ## pictures of every page into docs/screenshots
	@$(BIN)/python -m tests.journeys.screenshots $(ARGS)

schema: install  ## after a new migration: the schema that new homes begin with
	@home=$$(mktemp -d) && BALAS_HOME=$$home DJANGO_SETTINGS_MODULE=web.settings $(BIN)/python -m web.schema; rm -rf $$home

lock:            ## renew requirements/*.lock (needs uv in .venv)
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml --all-extras -o requirements/runtime.lock
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml --all-extras --group dev -o requirements/dev.lock
