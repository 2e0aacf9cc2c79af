# make report: the report, from nothing.  make test: the tests, from nothing.
.DEFAULT_GOAL := help
SHELL := /bin/sh
VENV := .venv
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && \
	$$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' 2>/dev/null && \
	{ command -v $$p; break; }; done)
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check --quiet

.PHONY: help report test lint format notebook data benchmark coverage clean

help:
	@echo "make report    render every report into reports/ (a few minutes; again: what changed)"
	@echo "make test      run the tests"
	@echo "make notebook  open the notebooks in JupyterLab"
	@echo "make lint      check style and types"
	@echo "make benchmark  time what should be fast against other programs (a quarter of an hour)"
	@echo "make coverage   count anew how often intervals hold the truth (about ten minutes)"
	@echo "make data RAW=DIR  rebuild data/ from a folder of official files"

report: $(VENV)/.installed
	@$(VENV)/bin/crime-analysis report --out reports

test: $(VENV)/.installed-dev
	@$(VENV)/bin/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

format: $(VENV)/.installed-dev
	@$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

notebook: $(VENV)/.installed
	@$(VENV)/bin/jupyter lab notebooks/00-start-here.ipynb

data: $(VENV)/.installed
	@test -n "$(RAW)" || { echo "say where the official files are: make data RAW=DIR" >&2; exit 2; }
	@$(VENV)/bin/crime-analysis data build --raw "$(RAW)"

benchmark: $(VENV)/.installed-benchmark
	@echo "== the 43 force reports: a plain loop over papermill and nbconvert"
	@$(VENV)/bin/python benchmarks/batch.py
	@echo "== wild cluster bootstrap: pyfixest, wildboottest"
	@$(VENV)/bin/python benchmarks/wild_bootstrap.py
	@echo "== specification curve: a loop over statsmodels"
	@$(VENV)/bin/python benchmarks/specification_curve.py
	@echo "== fit_panel: pyfixest called directly"
	@$(VENV)/bin/python benchmarks/fit_panel.py

coverage: $(VENV)/.installed
	@$(VENV)/bin/python benchmarks/interval_coverage.py --seed 2018 --jobs 2

clean:
	rm -rf $(VENV) reports .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { \
		echo "Python 3.11, 3.12 or 3.13 is needed and none was found; install one (Debian: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3" >&2; \
		exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(not (3,11) <= sys.version_info[:2] < (3,14))' || { \
		echo "$(PYTHON) is not Python 3.11 to 3.13; name another: make PYTHON=/path/to/python3" >&2; \
		exit 2; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module; install it (Debian: apt install python3-venv)" >&2; \
		exit 2; }
	@echo "setting up $(VENV) with $(PYTHON) ..."
	@"$(PYTHON)" -m venv $(VENV) || { rm -rf $(VENV); exit 2; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml
	@echo "installing what the package needs (a few minutes the first time) ..."
	@$(PIP) install --editable . >$(VENV)/install.log 2>&1 || { \
		echo "installing failed: is there a network connection to the Python package index? Run make again once there is ($(VENV)/install.log says what failed)" >&2; \
		exit 2; }
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(PIP) install --editable '.[dev]' >$(VENV)/install.log 2>&1 || { \
		echo "installing failed: is there a network connection to the Python package index? Run make again once there is ($(VENV)/install.log says what failed)" >&2; \
		exit 2; }
	@touch $@

$(VENV)/.installed-benchmark: $(VENV)/.installed
	@$(PIP) install --editable '.[benchmark]' >$(VENV)/install.log 2>&1 || { \
		echo "installing failed: is there a network connection to the Python package index? Run make again once there is ($(VENV)/install.log says what failed)" >&2; \
		exit 2; }
	@touch $@
