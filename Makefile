# The two commands of the README: make demo, make test. Everything lives in .venv; PYTHON names the Python (3.11 or later).
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
JOBS ?= 2

.PHONY: demo test check latency evidence clean

demo: $(VENV)/installed
	$(BIN)/gpuport port examples/softmax/softmax.cu --src h100 --dst cpu,m4,mi300x --out ports/softmax

test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(JOBS)

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

# ONLY names parts: make evidence ONLY="emulator hostile"
evidence: $(VENV)/installed-test
	$(BIN)/python benchmarks/evidence.py --jobs $(JOBS) $(ONLY:%=--only %)

latency: $(VENV)/installed
	$(BIN)/python benchmarks/latency.py

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "gpuport needs Python 3.11 or later; name one with PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(PIP) --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info ports
