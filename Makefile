# Two commands set up everything: `make quickstart` (the whole line in miniature) and `make test`.
PYTHON ?= python3
BIN := .venv/bin
SEED ?= 0

.PHONY: quickstart test check bench fmt smollm2 seeds clean

quickstart: $(BIN)/.ready ## the R1 line in miniature, from nothing to students, on two CPU cores
	$(BIN)/distillery run pipelines/quickstart.yaml --set seed=$(SEED)

test: $(BIN)/.ready ## all tests that this machine can run; GPU tests are deselected and counted
	$(BIN)/pytest -n 2 -m "not gpu" --cov --cov-report=term:skip-covered --cov-report=

check: $(BIN)/.ready ## what CI holds every change to
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/codespell distillery tests pipelines prompts docs README.md Makefile
	$(BIN)/yamllint -s pipelines
	$(BIN)/vulture

bench: $(BIN)/.ready ## speed, beside peers where they are installed
	$(BIN)/pytest -q -p no:randomly -p no:cacheprovider --timeout=3600 tests/benchmarks -s -m "not gpu"

fmt: $(BIN)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

seeds: $(BIN)/.ready ## the quickstart on three seeds, and the table that README shows
	for seed in 0 1 2; do $(BIN)/distillery run pipelines/quickstart.yaml --set seed=$$seed || exit; done
	$(BIN)/distillery report quickstart/1 quickstart/2 quickstart/3 --markdown

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@

clean:
	rm -rf .venv data/store data/runs
