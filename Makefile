# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 2

.PHONY: setup setup-demo demo test test-fast bench lint docs clean

setup: $(VENV)/.dev-ready

$(VENV)/.dev-ready: constraints.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	touch $@

setup-demo:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	test -e $(VENV)/.dev-ready -o -e $(VENV)/.demo-ready || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	touch $(VENV)/.demo-ready

demo: setup-demo
	$(BIN)/python examples/demo.py

test: setup
	$(PYTEST)

test-fast: setup
	$(PYTEST) -m 'not slow'

bench: setup
	$(BIN)/python benchmarks/warm_reads.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
