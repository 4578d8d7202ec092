"""Which pairs of known relation the stages take for copies, kind by kind."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from distillery.config import build
from distillery.stages.dedup.exact import DedupExact
from distillery.stages.dedup.minhash import DedupMinhash
from tests.stages.dedup.labelled_pairs import (
    CHANGES,
    CHINESE,
    SPELLINGS,
    TEMPLATES,
    Pair,
    problems,
    rewritten,
)

both = pytest.mark.parametrize("cls", [DedupExact, DedupMinhash])


def found(cls: type, pairs: Sequence[Pair]) -> dict[str, float]:
    """Of each kind the share of pairs of which one goes; each kind is a table of its own."""
    shares = {}
    for kind, count in Counter(pair.kind for pair in pairs).items():
        some = [pair for pair in pairs if pair.kind == kind]
        names = [f"{side}{number}" for number in range(count) for side in "ab"]
        texts = [text for pair in some for text in (pair.one, pair.other)]
        stage = build(cls, {}, where="stages.dedup")
        sketch = stage.sketch(pl.DataFrame({"problem_id": names, "question": texts}), None)
        gone = {key[1:] for key in stage.decide(sketch, None).dropped["key"]}
        shares[kind] = len(gone) / count
    return shares


@both
def test_another_spelling_is_a_copy(cls: type):
    rng = np.random.default_rng(1)
    pairs = rewritten(problems(140, rng), SPELLINGS, rng)
    shares = found(cls, pairs)
    assert shares.keys() >= SPELLINGS.keys() - {"currency"}
    assert shares == dict.fromkeys(shares, 1.0)


@both
def test_another_problem_is_no_copy_however_alike(cls: type):
    rng = np.random.default_rng(2)
    pairs = rewritten(problems(140, rng), CHANGES, rng)
    shares = found(cls, pairs)
    assert shares.keys() == CHANGES.keys()
    assert shares == dict.fromkeys(shares, 0.0)


def test_most_changes_leave_long_texts_so_alike_that_signatures_alone_would_link_them():
    rng = np.random.default_rng(3)
    pairs = rewritten(problems(40, rng, TEMPLATES), CHANGES, rng)
    plain = {"number", "opposite", "units", "negated"}
    stage = build(DedupMinhash, {"same_numbers": False, "same_gold": False}, where="stages.dedup")
    texts = [text for pair in pairs if pair.kind in plain for text in (pair.one, pair.other)]
    names = [f"p{number}" for number in range(len(texts))]
    sketch = stage.sketch(pl.DataFrame({"problem_id": names, "question": texts}), None)
    assert stage.decide(sketch, None).dropped.height > 0.3 * len(texts) / 2


@both
def test_chinese_is_one_in_both_scripts_and_all_widths(cls: type):
    text = CHINESE.format(a=24, b=18)
    traditional = text.translate(str.maketrans("个长宽边种树请问", "個長寬邊種樹請問"))
    spaced = text.replace("，", ", ").replace("24", "２４")
    rows = {
        "a": text,
        "b": traditional,
        "c": spaced,
        "d": text.replace("18", "16"),
        "e": "ﾘﾝｺﾞは何個？",
        "f": "リンゴは何個?",
    }
    stage = build(cls, {"keep": "any"}, where="stages.dedup")
    sketch = stage.sketch(pl.DataFrame({"problem_id": [*rows], "question": [*rows.values()]}), None)
    assert set(stage.decide(sketch, None).dropped["key"]) == {"b", "c", "f"}


@pytest.mark.slow
@both
def test_real_problems_are_found_in_another_spelling_and_kept_apart_when_changed(cls: type, real_data: Path):
    with gzip.open(real_data / "math_l3to5_8k.jsonl.gz", "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["question"] for line in lines][:1500]
    texts = [text for text in dict.fromkeys(texts) if "[asy]" not in text]
    rng = np.random.default_rng(4)
    spelt = found(cls, rewritten(texts, SPELLINGS, rng))
    assert {kind: share for kind, share in spelt.items() if share < 0.99} == {}
    changed = found(cls, rewritten(texts, CHANGES, rng))
    assert {kind: share for kind, share in changed.items() if share > 0.01} == {}
