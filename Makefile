# `make help` lists the targets. A bare clone needs Python 3.11 or newer and make, nothing else:
# the first target that needs it makes .venv from the pins in constraints.txt, later ones reuse it.
# pip takes no file whose sha256 is not there, and looks for no others: a test knows that all are
# there. constraints-dev.txt has what tests and checks need.
# ARGS is handed on: make backtest ARGS="study.toml --paths 1000", make test ARGS="-k tails".

PYTHONS := $(or $(PYTHON),python3.14 python3.13 python3.12 python3.11 python3 python)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-deps

# Stamps, each written last: the environment is whole; it can run; it can also test and lint.
WHOLE := $(VENV)/stamp-whole
RUN := $(VENV)/stamp-run
DEV := $(VENV)/stamp-dev

.DEFAULT_GOAL := help
.PHONY: help backtest test slow faults bench calibration docs lint clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

backtest: $(RUN)  ## run the packaged default study into results/
	$(VENV)/bin/backtest run $(ARGS)

test: $(DEV)  ## run the tests and the doctests on every core, without the slow ones
	$(PY) -m pytest --numprocesses auto --dist loadfile $(ARGS)

slow: $(DEV)  ## run the slow tests only
	$(PY) -m pytest -m slow $(ARGS)

calibration: $(RUN)  ## how often are the offset bounds unsafe? some ten minutes, prints the tables
	$(PY) -m backtest.offset.calibration $(ARGS)

faults: $(DEV)  ## run all of the library of bad input: some 2,000 cases, half an hour
	$(PY) -m tests.faults $(ARGS)

bench: $(DEV)  ## time the kernels and the whole run
	$(PY) -m tests.bench $(ARGS)

docs: $(DEV)  ## build the site into build/docs, offline; a warning is an error
	$(PY) docs/_site $(ARGS)

lint: $(DEV)  ## check style, format, types and the direction of imports
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy backtest strategies
	$(VENV)/bin/lint-imports

clean:  ## remove .venv, caches and builds; data_cache and results stay
	rm -rf $(VENV) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis \
	    .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A name on PATH may be a shim that runs nothing, so each candidate is run; one that is new enough
# but cannot make environments is reported with a mark.
FIND_PYTHON = for python in $(PYTHONS); do \
    "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || continue; \
    "$$python" -c 'import ensurepip, venv' && echo "$$python" && break; \
    echo "$$python:bare"; \
  done 2>/dev/null
NO_PYTHON = no Python 3.11 or newer runs here (tried: $(PYTHONS)); \
  install one, or name one: make PYTHON=/path/to/python
NO_VENV = $(patsubst %:bare,%,$(firstword $(FOUND))) has no venv or no ensurepip module, so it \
  cannot make $(VENV); install them (Debian, Ubuntu: apt-get install python3-venv)

# When the Python behind .venv is gone, .venv is made again.
ifneq ($(shell test -x $(PY) && echo there),there)
.PHONY: $(WHOLE)
endif

$(WHOLE):
	$(eval FOUND := $(shell $(FIND_PYTHON)))
	$(eval GOOD := $(filter-out %:bare,$(FOUND)))
	$(if $(GOOD),,$(error $(if $(FOUND),$(NO_VENV),$(NO_PYTHON))))
	@rm -rf $(VENV)
	$(GOOD) -m venv $(VENV)
	@touch $@

# An install that is interrupted leaves no WHOLE behind, so that the next make begins afresh.
# The build backend is pinned too, hence no build isolation. What is built here has no hash, so it is
# installed after what it depends on.
$(RUN): pyproject.toml constraints.txt $(WHOLE)
	@echo "Installing what a run needs into $(VENV): a minute or two, once."
	@rm -f $(WHOLE)
	@$(PIP) --require-hashes --requirement constraints.txt
	@$(PIP) --no-build-isolation --editable .
	@touch $(WHOLE) $@

$(DEV): constraints-dev.txt $(RUN)
	@echo "Installing what tests and checks need into $(VENV): a minute, once."
	@rm -f $(WHOLE)
	@$(PIP) --require-hashes --requirement constraints-dev.txt
	@touch $(WHOLE) $(RUN) $@
