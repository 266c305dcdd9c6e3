# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
	command -v $$p >/dev/null && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup
S3_SERVER := $(BIN)/python -c 'from datafluid.testing.s3 import find_versitygw; print("S3 server:", "versitygw" if find_versitygw() else "moto")'

.PHONY: setup setup-demo setup-torch setup-cluster setup-oldest demo test test-fast bench lint clean

setup: $(VENV)/.dev-ready

# Everything that the tests use, at the versions they were last seen to pass with.
$(VENV)/.dev-ready: constraints.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -r constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps -e .
	$(S3_SERVER)
	touch $@

# PyTorch is big, so it is a step of its own; without it two tests are skipped, and say so.
setup-torch: $(VENV)/.torch-ready

$(VENV)/.torch-ready: $(VENV)/.dev-ready
	$(BIN)/python tools/setup_torch.py && touch $@

# A real Kubernetes control plane, built once a user from pinned Go modules; without it its tests are skipped.
setup-cluster: setup
	$(BIN)/python -m tests.cluster.binaries

# The oldest official Kubernetes client that is supported, beside the newest; without it one test is skipped.
setup-oldest: setup
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --target .cache/oldest kubernetes==30.1.0

# Only what the demo needs.
setup-demo:
	@test -n "$(PYTHON)" || { echo "datafluid needs Python 3.11 or newer." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -e $(VENV)/.dev-ready -o -e $(VENV)/.demo-ready || { echo "Setting up, once." && \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]' && \
		$(S3_SERVER) && touch $(VENV)/.demo-ready; }

demo: setup-demo
	@$(BIN)/python examples/demo.py

test: lint
	-$(MAKE) setup-torch
	-$(MAKE) -k setup-cluster setup-oldest
	$(PYTEST)

# What needs no Airflow, Kubeflow, Spark, PyTorch, notebook, cluster or demo, and is no attack.
test-fast: setup
	$(PYTEST) -m 'not slow'

bench: setup
	$(BIN)/python -m benchmarks --document docs/performance.md

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
