# Set PYTHON to use another interpreter; by default, .venv keeps the Python it was made with.
PYTHON ?=
VENV ?= .venv
BIN := $(VENV)/bin
SHELL := /bin/bash
OTHER_PYTHONS := python3.12 python3.13
CHECKOV := 3.3.30
# Without bytecode every command and test would compile its imports again.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help
.PHONY: help setup demo test quick try-setup try-pythons campaign check checkov bench format page picture pins clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## create .venv with every extra, unless it is up to date
	@PYTHON="$(PYTHON)" scripts/setup $(VENV)

demo: setup ## run both products end to end on this machine
	@$(BIN)/landkeeper demo

test: setup ## run every test; require full coverage of the pure packages by their own tests
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder --cov --cov-report=term

quick: setup ## run the half of the tests that needs no simulators and no browser
	@$(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder -m "not setup and not embedded" --ignore=tests/browser

try-pythons: ## run the demo and the quick tests on the other supported Pythons that are installed
	@for python in $(OTHER_PYTHONS); do \
	  if scripts/find-python $$python >/dev/null; then \
	    $(MAKE) --no-print-directory VENV=build/venvs/$$python PYTHON=$$python demo quick || exit 1; \
	  else echo "try-pythons: $$python not found, skipped"; fi; \
	done

try-setup: setup ## test set-up in fresh clones, as on other machines; downloads every package once
	@$(BIN)/python -m pytest -m setup tests/setup

campaign: setup ## test every fault at every call, which takes hours; `make test` tries each kind of fault
	@LANDKEEPER_CAMPAIGN=1 $(BIN)/python -m pytest --numprocesses=auto --dist=loadfile --no-loadscope-reorder --timeout=14400 -m campaign

check: setup ## check format, lint, types, import rules, templates and the built page
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/cfn-lint -- src/landkeeper/infra/*.yaml
	@scripts/page check

checkov: setup ## scan the templates with checkov; downloads 100 packages that nothing else needs
	@$(BIN)/uv tool run checkov@$(CHECKOV) --directory src/landkeeper/infra --framework cloudformation --compact --quiet --skip-download

bench: setup ## run the benchmarks and update benchmarks/RESULTS.md; takes some minutes
	@$(BIN)/python -m benchmarks

format: setup ## format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

page: ## build the report's page, which is part of the package; needs Node.js
	@scripts/page build

picture: setup ## draw the README's picture of the address map; needs Chromium
	@$(BIN)/python -m tests.browser.picture

pins: setup ## rewrite requirements/*.txt from pyproject.toml
	@scripts/pins $(BIN)/uv

clean: ## remove .venv and everything that was built
	rm -rf $(VENV) build dist page/node_modules .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
