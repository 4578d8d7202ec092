from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from distillery.reference.pipeline_files import pipeline_schema, price_schema

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / "pipelines").glob("*.yaml")), *sorted((ROOT / "pipelines").glob("r1/*.yaml"))]
PIPELINE = json.loads((ROOT / "pipelines/schema.json").read_text())
PRICES = json.loads((ROOT / "pipelines/prices.schema.json").read_text())


def faults(text: str) -> list[Any]:
    return list(Draft202012Validator(PIPELINE).iter_errors(yaml.safe_load(text)))


def test_the_schemas_beside_the_pipelines_are_what_the_program_says():
    assert pipeline_schema() == PIPELINE, "run `make reference`"
    assert price_schema() == PRICES, "run `make reference`"


@pytest.mark.parametrize("schema", [PIPELINE, PRICES], ids=["pipelines", "prices"])
def test_the_schemas_are_valid_themselves(schema):
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_file_names_its_schema_and_keeps_to_it(file):
    first, _, rest = file.read_text().partition("\n")
    schema = (file.parent / first.removeprefix("# yaml-language-server: $schema=")).resolve()
    assert schema.parent == ROOT / "pipelines"
    assert not list(Draft202012Validator(json.loads(schema.read_text())).iter_errors(yaml.safe_load(rest)))


@pytest.mark.parametrize(
    "line",
    [
        "{stages: [{id: a, use: filter.qality}]}",
        "{stages: [{id: a, use: filter.quality, with: {lang: en}}]}",
        "{stages: [{id: a, use: filter.quality, with: {limits: {max_answer: 1}}}]}",
        "{stages: [{id: a, use: filter.quality, with: {limits: {max_answers: many}}}]}",
        "{stages: [{id: a, use: filter.quality, with: {skip: [refusals]}}]}",
        "{stages: [{id: a, use: dedup.minhash, with: {threshold: 1.5}}]}",
        "{stages: [{id: a, use: ingest.file}]}",
        "{stages: [{id: a, use: ingest.file, with: {limit: 3}}]}",
        "{stages: [{id: a, use: dedup.exact, form: b}]}",
        "{stages: [{id: a, use: dedup.exact, expect: {row: 3}}]}",
        "{stages: [{id: a}]}",
        "{stages: []}",
        "{stages: [{foreach: {n: [1]}, stages: [{id: a, use: dedup.exact, with: {col: text}}]}]}",
        "{stages: [{id: a, use: dedup.exact}], engines: {e: {kind: opnai}}}",
        "{stages: [{id: a, use: dedup.exact}], engines: {e: {kind: openai, modl: m}}}",
        "{stages: [{id: a, use: dedup.exact}], budget: {max_dollars: 3}}",
        "{stages: [{id: a, use: dedup.exact}], workers: {job: 3}}",
        "{stages: [{id: a, use: dedup.exact}], sede: 3}",
    ],
)
def test_a_misspelt_or_wrong_word_is_found(line):
    assert faults(line)


@pytest.mark.parametrize(
    "line",
    [
        "{stages: [{id: a, use: 'my_stages:KeepShort', with: {whatever: 1}}]}",
        "{stages: [{id: a, use: dedup.exact}], engines: {e: {kind: 'my_engine:Mine', whatever: 1}}}",
        "{stages: [{id: a, use: dedup.exact}], engines: {e: {kind: vllm, model: {from: a}}}}",
        "{stages: [{id: a, use: judge.thinking, with: {engine: {use: e, model: {from: b}}}}]}",
        "{stages: [{foreach: {n: [1]}, stages: [{id: 'a${n}', use: dedup.minhash, with: {shingle: '${n}'}}]}]}",
        "{stages: [{foreach: {o: [{}]}, stages: [{id: a, use: dedup.minhash, with: '${o}'}]}]}",
        "{stages: [{id: a, use: decontaminate.ngrams, with: {against: [f.jsonl, {hub: x/y}]}}]}",
    ],
)
def test_what_the_loader_takes_beyond_the_options_themselves_is_no_fault(line):
    assert not faults(line)
