# Everything here needs only Python (3.11 or newer), pip and make. What is installed is pinned in constraints.txt.
#
#   make demo PYTHON=python3.12      another Python
#   make test TESTS='-m "not slow"'  what pytest is given besides its settings
#   make test VENV=/tmp/venv         another environment than .venv

PYTHON ?= python3
VENV ?= .venv
DEMO ?= demo
TESTS ?=
KEEP ?=
PINS ?= constraints.txt
WHEEL_VENV ?= build/wheel-venv
WHEEL_TESTS ?= tests/scores tests/records tests/images tests/pictures tests/cli/commands tests/test_public_names.py

BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
SETUP := pyproject.toml constraints.txt

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test browser faults lint docs check bench format install changelog check-lowest check-newest check-wheel clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 23

demo: $(VENV)/.installed ## measure the bundled classifiers and draw the report
	$(BIN)/zooscope demo --out $(DEMO)
	@test -f $(DEMO)/report.html || { echo "the demo wrote no $(DEMO)/report.html" >&2; exit 1; }
	@echo "Open the report: $(abspath $(DEMO))/report.html"

test: $(VENV)/.installed-test browser ## run the tests
	$(BIN)/python -m pytest $(TESTS)

browser: $(VENV)/.installed-test ## install Debian's Chromium for the tests, where there is no browser
	@$(BIN)/python -m tests.chromium

faults: $(VENV)/.installed-test ## kill, fill disks, flip bits: what becomes of studies and outputs
	$(BIN)/python -m tests.faults

lint: $(VENV)/.installed-dev ## style, types, layers and dead code, without the tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/vulture

docs: $(VENV)/.installed-dev ## build the documentation as a site, build/docs/index.html
	$(BIN)/python -m sphinx -q -E -W --keep-going -c docs -b html -d build/doctrees . build/docs
	@echo "Open the documentation: $(abspath build/docs)/index.html"

check: lint test ## everything that must pass: lint, then test

bench: $(VENV)/.installed-test ## run every benchmark in benchmarks/
	@set -e; for benchmark in benchmarks/*.py; do echo "$$benchmark"; $(BIN)/python "$$benchmark"; done

format: $(VENV)/.installed-dev ## let ruff fix what it can
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

install: $(VENV)/.installed-dev ## install everything into .venv, for working on the code

changelog: ## CHANGELOG.md from changes/; make changelog VERSION=0.2.0 DATE=2026-12-01 for a release
	$(PYTHON) release/changelog.py $(VERSION) $(DATE)

# A wheel in an environment of its own: its program starts, and the tests that touch most dependencies pass, without the checks of
# shapes; warnings of other versions than the pinned are no errors. KEEP names packages whose lowest version is not to be had, such
# as torch; constraints.txt then says which.
check-lowest: ## the wheel with the lowest dependencies that pyproject.toml allows
	$(PYTHON) release/lowest.py $(if $(KEEP),--except $(KEEP)) > $(or $(TMPDIR),/tmp)/zooscope-lowest.txt
	$(foreach name,$(KEEP),grep '^$(name)==' constraints.txt >> $(or $(TMPDIR),/tmp)/zooscope-lowest.txt;)
	$(MAKE) check-wheel WHEEL_VENV=build/lowest PINS=$(or $(TMPDIR),/tmp)/zooscope-lowest.txt

check-newest: ## the wheel with the newest dependencies that there are
	$(MAKE) check-wheel WHEEL_VENV=build/newest PINS=/dev/null

check-wheel: ## the wheel with the dependencies of constraints.txt
	rm -rf $(WHEEL_VENV)
	$(MAKE) $(WHEEL_VENV)/pyvenv.cfg VENV=$(WHEEL_VENV)
	$(WHEEL_VENV)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir $(WHEEL_VENV)/wheel .
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) "$$(ls $(WHEEL_VENV)/wheel/*.whl)"
	$(WHEEL_VENV)/bin/zooscope --help > /dev/null
	$(WHEEL_VENV)/bin/zooscope classifiers
	$(WHEEL_VENV)/bin/zooscope doctor --device cpu
	$(WHEEL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(PINS) "$$(ls $(WHEEL_VENV)/wheel/*.whl)[test]"
	$(WHEEL_VENV)/bin/python -m pip freeze --exclude zooscope > $(WHEEL_VENV)/packages.txt
	$(WHEEL_VENV)/bin/python -m pytest -m "not slow" -W default -o addopts=--import-mode=importlib $(WHEEL_TESTS)

clean: ## remove whatever the other targets made
	rm -rf $(VENV) $(DEMO) build dist docs/reference benchmarks/studies .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks recipes -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, and in it one stamp for each set of packages; a changed pyproject.toml or constraints.txt installs again.
# Debian's Python comes without ensurepip; pip can then install itself from outside.
$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("zooscope needs Python 3.11 or newer; name one: make PYTHON=python3.11")'
	@echo "Installing into $(VENV), once; torch is large, this takes a few minutes."
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
		$(PYTHON) -m venv $(VENV); \
	else \
		$(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install --quiet pip; \
	fi

$(VENV)/.installed: $(SETUP) | $(VENV)/pyvenv.cfg
	$(INSTALL) --editable .
	@touch $@

# torchattacks and adv-lib are the references of the attacks' tests; they ask for libraries that are too old, or not needed.
$(VENV)/.installed-test: $(SETUP) | $(VENV)/pyvenv.cfg
	$(INSTALL) --editable '.[test]'
	$(INSTALL) --no-deps torchattacks adv-lib
	@touch $(VENV)/.installed $@

$(VENV)/.installed-dev: $(SETUP) | $(VENV)/pyvenv.cfg
	$(INSTALL) --editable '.[dev]'
	$(INSTALL) --no-deps torchattacks adv-lib
	@touch $(VENV)/.installed $(VENV)/.installed-test $@
