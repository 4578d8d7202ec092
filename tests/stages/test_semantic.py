"""dedup.semantic and decontaminate.semantic, with vectors in which synonyms are one word."""

from __future__ import annotations

import json
from hashlib import blake2b

import numpy as np
import polars as pl
import pytest

from distillery.config import build
from distillery.curate.copies.meaning import meaning_links, nearest, numbers
from distillery.engines.embedding import Embedding
from distillery.records import LEDGER
from distillery.stages.decontaminate.semantic import DecontaminateSemantic
from distillery.stages.dedup.semantic import DedupSemantic

ALIKE = {
    "purchases": "buys",
    "costing": "for",
    "euros": "euro",
    "overall": "total",
    "spend": "pay",
    "books": "book",
}
HENS = "Mia buys 3 book for 7 euro each. How much does she pay in total?"
REWORDED = "Mia purchases 3 books costing 7 euros each. How much does she spend in overall?"
OTHER_NUMBERS = "Mia purchases 4 books costing 7 euros each. How much does she spend in overall?"
FAR = "Which planet is the largest of all?"


def vectors(self: Embedding, texts: list[str]) -> np.ndarray:
    out = np.zeros((len(texts), 64), np.float32)
    for row, text in zip(out, texts, strict=True):
        for word in text.lower().replace("?", "").replace(".", "").split():
            word = ALIKE.get(word, word)
            seed = int.from_bytes(blake2b(word.encode(), digest_size=4).digest())
            row += np.random.default_rng(seed).normal(size=64)
        row /= np.linalg.norm(row) or 1.0
    return out


@pytest.fixture(autouse=True)
def _words(monkeypatch):
    monkeypatch.setattr(Embedding, "vectors", vectors)


def dedup(texts, *, parts=1, **options):
    stage = build(
        DedupSemantic, {"embedding": {"model": "m"}, "keep": "any", **options}, where="stages.dedup"
    )
    table = pl.DataFrame(
        {"problem_id": [f"p{n}" for n in range(len(texts))], "question": texts},
        schema={"problem_id": pl.String, "question": pl.String},
    )
    size = max(1, -(-table.height // parts))
    sketches = [stage.sketch(part, None) for part in table.iter_slices(size)] or [stage.sketch(table, None)]
    decision = stage.decide(pl.concat(sketches), None)
    assert dict(decision.dropped.schema) == LEDGER
    return dict(decision.dropped.select("key", "detail").iter_rows())


def test_a_paraphrase_goes_and_the_ledger_names_what_stays():
    assert dedup([HENS, FAR, REWORDED]) == {"p2": "copy of p0, similarity 1.000"}


def test_other_numbers_are_another_problem_unless_told_otherwise():
    assert dedup([HENS, OTHER_NUMBERS]) == {}
    assert set(dedup([HENS, OTHER_NUMBERS], same_numbers=False, threshold=0.9)) == {"p1"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "Tom has 3 coins more than Ann. How many has Tom?",
            "Ann has 3 coins more than Tom. How many has Tom?",
        ),
        ("Which of 21, 23 and 25 is prime?", "Which of 21, 23 and 25 is not prime?"),
        (r"Find $\sqrt{x}+9$ for $x = 16$.", r"Find $\sqrt{x+9}$ for $x = 16$."),
        ("Compute $a^2 + b^2$ when $ab = 3$.", "Compute $a^2 - b^2$ when $ab = 3$."),
        (
            "The road is 5 km long, and how long is a fifth?",
            "The road is 5 miles long, and how long is a fifth?",
        ),
        ("Mia buys 3 book. What is the largest price?", "Mia purchases 3 books. What is the smallest price?"),
    ],
)
def test_what_another_order_sign_or_opposite_makes_another_problem_stays(one, other):
    assert dedup([one, other], threshold=0.5) == {}
    assert set(dedup([one, other], threshold=0.5, same_numbers=False)) == {"p1"}


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_shards_and_empty_texts_change_nothing(parts):
    assert set(dedup([None, HENS, "", FAR, REWORDED, FAR], parts=parts)) == {"p4", "p5"}


def test_no_rows_and_no_texts():
    assert dedup([]) == {}
    assert dedup([None, " "]) == {}


def test_links_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(300, 8)).astype(np.float16)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    groups = rng.integers(0, 4, 300).astype(np.uint64)
    found = meaning_links(points, groups, threshold=0.8)
    exact = points.astype(np.float32) @ points.astype(np.float32).T
    plain = {
        (i, j) for i in range(300) for j in range(i + 1, 300) if groups[i] == groups[j] and exact[i, j] >= 0.8
    }
    assert set(zip(found.left.tolist(), found.right.tolist(), strict=True)) == plain


def test_clusters_of_a_large_group_find_nearly_all(monkeypatch):
    monkeypatch.setattr("distillery.curate.copies.meaning._WHOLE", 256)
    rng = np.random.default_rng(1)
    points = np.repeat(rng.normal(size=(1000, 16)), 2, axis=0) + rng.normal(size=(2000, 16)) * 0.02
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    found = meaning_links(points, np.zeros(2000, np.uint64), threshold=0.98)
    pairs = set(zip(found.left.tolist(), found.right.tolist(), strict=True))
    assert sum((n, n + 1) in pairs for n in range(0, 2000, 2)) >= 970


def test_nearest_looks_only_into_its_own_group():
    known = np.eye(3, dtype=np.float32)
    best, score = nearest(known, known, np.array([0, 1, 9], np.uint64), np.array([0, 0, 1], np.uint64))
    assert best.tolist() == [0, 2, -1]
    assert score.tolist() == [1.0, 0.0, -1.0]


def test_numbers_are_compared_whatever_their_order_and_spelling():
    one, two, three, none = numbers(pl.Series(["3 of 1,000", "1000 and 3", "3 of 100", None]))
    assert one == two != three
    assert none == numbers(pl.Series(["no number"]))[0]


def test_a_drawing_makes_no_other_problem():
    drawn = f"{HENS} [asy] draw((0,0)--(12,9)); [/asy]"
    assert set(dedup([HENS, drawn])) == {"p1"}


def decontaminate(tmp_path, texts, **options):
    bench = tmp_path / "bench.jsonl"
    bench.write_text("".join(json.dumps({"question": text}) + "\n" for text in (FAR, HENS)))
    stage = build(
        DecontaminateSemantic,
        {"embedding": {"model": "m"}, "against": [str(bench)], **options},
        where="stages.decontaminate",
    )
    table = pl.DataFrame(
        {"problem_id": [f"p{n}" for n in range(len(texts))], "question": texts},
        schema={"problem_id": pl.String, "question": pl.String},
    )
    return stage.apply(table, None)


def test_a_paraphrase_of_a_benchmark_goes_with_its_evidence(tmp_path):
    output = decontaminate(tmp_path, ["Nothing alike.", REWORDED, OTHER_NUMBERS, None])
    assert output.dropped.rows() == [("p1", "same_meaning", f"same_meaning 1.00 of bench:2: {HENS!r}")]
    assert output.kept["problem_id"].to_list() == ["p0", "p2", "p3"]
    assert output.metrics == {
        "matched_same_meaning": 1.0,
        "hit:same_meaning:bench": 1.0,
        "compared:bench": 4.0,
        "pairs:bench": 8.0,
    }
    assert decontaminate(tmp_path, [OTHER_NUMBERS], same_numbers=False).kept.is_empty()


def test_a_table_without_rows_is_clean(tmp_path):
    assert decontaminate(tmp_path, []).kept.is_empty()
