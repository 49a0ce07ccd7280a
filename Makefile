# Two commands matter: `make demo` and `make test`. Both set everything up in .venv first.
PYTHON ?= python3
VENV ?= .venv
BIN = $(CURDIR)/$(VENV)/bin
RUN = env PATH="$(BIN):$$PATH"
JOBS ?= auto

.PHONY: help demo demo-loop test slow lint bench conformance docs install clean

help:            ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile

demo: install    ## The whole story on real data, in a temporary directory
	@$(RUN) sh docs/demo.sh

demo-loop: install  ## Serve, drift, retrain, pull request, promote, serve: on real data, in a temporary directory
	@$(RUN) sh docs/demo-loop.sh

test: lint       ## Linters, types, layers, our own check, and every test that is quick
	$(RUN) pytest -n $(JOBS) --dist worksteal

slow: install    ## The tests that take long; CI runs them after `make test`
	$(RUN) pytest -n $(JOBS) --dist worksteal -m slow

lint: install    ## Ruff, mypy --strict, import-linter, and `git mlops check` on this repository
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) git mlops check

bench: install   ## Our figures beside the peers', in one run and one table
	$(RUN) python -m tests.bench

conformance: install  ## MLflow's own tests on our store and on its SQLite; MLFLOW_SRC names a checkout of it
	$(RUN) MLFLOW_SRC="$(MLFLOW_SRC)" JOBS=$(JOBS) python -m tests.conformance

docs: install    ## Renew the man page, the reference and the README's generated blocks
	$(RUN) python -m git_mlops.cli.manual

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

clean:           ## Remove what `make` made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
