# Everything a contributor or CI runs. Needs only make and Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
LIGHT := streamkit-otel streamkit-redact streamkit-redis
HEAVY := streamkit-transformers

.PHONY: demo test test-all plugins heavy-plugins lint types floors tests bench bench-server fuzz chaos docs format clean

demo: $(VENV)/.run  ## Stream from an emulated endpoint, raw tokens beside clean text.
	$(BIN)/streamkit demo

test: lint types floors tests plugins  ## Lint, types, floors, tests, the snippets of the docs, and the light plugins as wheels.

test-all: test heavy-plugins  ## The plugins with heavy dependencies too (PyTorch).

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python

floors: $(VENV)/.dev
	$(BIN)/lint-imports

tests: $(VENV)/.dev
	$(BIN)/pytest

# Plugins are tested as their users have them: wheels of streamkit and of the plugin in an environment of their own.
plugins: $(VENV)-plugins/.ready
	for plugin in $(LIGHT); do (cd plugins/$$plugin && $(CURDIR)/$(VENV)-plugins/bin/python -m pytest) || exit 1; done

heavy-plugins: $(VENV)-heavy/.ready
	for plugin in $(HEAVY); do (cd plugins/$$plugin && $(CURDIR)/$(VENV)-heavy/bin/python -m pytest) || exit 1; done

bench: $(VENV)-bench/.ready  ## Streamkit and its peers side by side, as ratios.
	$(VENV)-bench/bin/python -m benchmarks

bench-server: $(VENV)-bench/.ready  ## The gateway under load, beside ready-made bytes and LiteLLM's proxy; six minutes.
	$(VENV)-bench/bin/python -m benchmarks.server

fuzz: $(VENV)/.dev $(VENV)/.fuzz  ## Look for bytes and texts that break a promise, for a minute.
	$(BIN)/python tests/fuzz/run.py --seconds 60

chaos: $(VENV)/.dev  ## Every fault, many times, and what is lost or leaked; under ten minutes.
	$(BIN)/python -m chaos

docs: $(VENV)/.docs
	$(BIN)/mkdocs build --strict

format: $(VENV)/.dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:
	rm -rf $(VENV) $(VENV)-plugins $(VENV)-heavy $(VENV)-bench site dist .mypy_cache .pytest_cache .ruff_cache tests/fuzz/findings .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "streamkit needs Python 3.11 or newer; name one with: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'

# The build CPU wheel of PyTorch must be there before anything asks for any PyTorch.
$(VENV)-heavy/.ready: TORCH = torch==2.13.0
$(VENV)-plugins/.ready: NAMES = $(LIGHT)
$(VENV)-heavy/.ready: NAMES = $(HEAVY)
$(VENV)-plugins/.ready $(VENV)-heavy/.ready: $(BIN)/python pyproject.toml constraints.txt $(shell find src plugins -name '*.py' -o -name pyproject.toml)
	rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(if $(TORCH),$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH))
	$(PIP) wheel --no-deps --wheel-dir $(@D)/wheels . $(NAMES:%=./plugins/%)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		$(patsubst %,--constraint %,$(wildcard $(NAMES:%=plugins/%/constraints.txt))) \
		$(@D)/wheels/*.whl $(NAMES:%=--group plugins/%/pyproject.toml:dev)
	@touch $@

# Peers want versions of their own, and are not pinned: a comparison is with what they are today.
$(VENV)-bench/.ready: $(BIN)/python pyproject.toml
	rm -rf $(@D) && $(BIN)/python -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[serve]' --group bench
	@touch $@

$(VENV)/.run: $(BIN)/python pyproject.toml constraints.txt
	$(PIP) install --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.%: $(VENV)/.run
	$(PIP) install --constraint constraints.txt --group $*
	@touch $@
