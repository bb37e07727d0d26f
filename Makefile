# PYTHON names another interpreter; without it, the Python that made .venv stays.
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
OTHER_PYTHONS := python3.12 python3.13
CHECKOV := 3.3.30
.DEFAULT_GOAL := help
.PHONY: help setup demo test quick try-setup try-pythons campaign check checkov bench format page pins clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## make .venv with every extra; does nothing when it is up to date
	@PYTHON="$(PYTHON)" scripts/setup $(VENV)

demo: setup ## the main job of both products, end to end, on this machine
	@$(BIN)/landkeeper demo

test: setup ## every test, with coverage; the pure rooms must be covered whole
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --cov --cov-report=
	@$(BIN)/python -m coverage report --skip-covered --skip-empty
	@$(BIN)/python -m coverage report --include='src/landkeeper/org.py,src/landkeeper/documents.py,src/landkeeper/vpctracker/*,src/landkeeper/broom/*' \
		--fail-under=100 --show-missing --skip-covered

quick: setup ## the half of the tests that needs no simulators and no browser
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile -m "not setup and not embedded" --ignore=tests/browser

try-pythons: ## the demo and the quick tests, on every other Python that is supported and that is here
	@for python in $(OTHER_PYTHONS); do \
	  if scripts/find-python $$python >/dev/null; then \
	    $(MAKE) --no-print-directory VENV=build/venvs/$$python PYTHON=$$python demo quick || exit 1; \
	  else echo "try-pythons: no $$python here, not tried"; fi; \
	done

try-setup: setup ## set up fresh clones as on another day and on other machines; fetches every package once
	@$(BIN)/python -m pytest -m setup tests/setup

campaign: setup ## every fault at every call, and hundreds of launches: takes hours; `make test` has one of each kind
	@LANDKEEPER_CAMPAIGN=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --timeout=14400 -m campaign

check: setup ## format, lint, types, import rules, templates, the built page
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint -- src/landkeeper/infra/*.yaml
	@scripts/page check

checkov: setup ## the templates by checkov, fetched for the occasion: 100 packages that nothing else here needs
	@$(BIN)/uv tool run checkov@$(CHECKOV) --directory src/landkeeper/infra --framework cloudformation --compact --quiet --skip-download

bench: setup ## measure, and write the figures into benchmarks/RESULTS.md; takes some minutes
	@$(BIN)/python -m benchmarks

format: setup ## rewrite the code in its format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

page: ## build the page of the report, which the package carries; takes Node.js
	@scripts/page build

pins: setup ## write requirements/*.txt anew from pyproject.toml
	@scripts/pins $(BIN)/uv

clean: ## remove what was built
	rm -rf $(VENV) build dist page/node_modules .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
