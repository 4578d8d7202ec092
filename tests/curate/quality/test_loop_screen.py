"""The fast look before the search for loops overlooks none."""

from __future__ import annotations

import gzip
import json
from random import Random

import pytest

from distillery.curate.quality import loops as repetition
from distillery.curate.quality.loop_screen import may_loop, may_loop_each
from distillery.curate.quality.loops import find_loop
from distillery.reasoning import join

WORDS = [
    *(
        "so",
        "the",
        "a",
        "wait",
        "value",
        "of",
        "is",
        "x",
        "=",
        "2",
        "3",
        "+",
        "(",
        ")",
        ".",
        ",",
        "\n",
        "\n\n",
    ),
    *("therefore", "equation", "我们", "有", "所以", "é", "∑", "<", "**", "check", "again", "15", "number"),
]


def said(random: Random, count: int) -> list[str]:
    return [random.choice(WORDS) for _ in range(count)]


@pytest.mark.parametrize("seed", range(8))
def test_every_loop_that_the_search_finds_is_let_through(seed, monkeypatch):
    random = Random(seed)
    texts = []
    for period in range(1 + seed, 401, 8):
        once = " ".join(said(random, period))
        times = random.uniform(3.0, 3.4) if period >= 40 else max(5.0, 220 / period)
        looped = " ".join([once] * (int(times) + 1))[: int(len(once) * times) + int(times)]
        texts.append(
            " ".join([*said(random, random.randint(0, 200)), looped, *said(random, random.randint(0, 200))])
        )
    monkeypatch.setattr(repetition, "may_loop", lambda *_, **__: True)
    found = [text for text in texts if find_loop(text)]
    assert len(found) > 0.7 * len(texts)
    assert all(may_loop(text, min_tokens=least) for text in found for least in (60, 160))


@pytest.mark.slow
def test_real_thoughts_are_judged_as_by_the_search_alone(real_traces, monkeypatch):
    quick = [find_loop(text) for text in real_traces]
    monkeypatch.setattr(repetition, "may_loop", lambda *_, **__: True)
    assert quick == [find_loop(text) for text in real_traces]
    assert any(quick)


def test_texts_looked_through_together_are_told_as_each_of_them():
    random = Random(5)
    loop = " ".join(["and so it goes on and on"] * 40)
    texts = [" ".join(said(random, random.choice([0, 3, 50, 400, 9000]))) for _ in range(300)]
    for place in random.sample(range(300), 30):
        texts[place] = f"{texts[place][:900]} {loop} {texts[place][900:]}"
    texts += [loop, "\u00a0".join(loop), "", loop]
    together = may_loop_each((text.encode() for text in texts), min_tokens=160)
    assert together == [may_loop(text, min_tokens=160) for text in texts]
    assert all(flag for text, flag in zip(texts, together, strict=True) if "goes on and on and so" in text)
    assert sum(together) < 60


def test_equal_short_texts_in_a_row_are_no_loop():
    texts = [b"I add two and two, and I get four."] * 500
    assert not any(may_loop_each(texts, min_tokens=60))


def test_loops_shorter_than_the_test_can_see_are_let_through():
    assert may_loop("one two three " * 4, min_tokens=10)


def test_plain_text_is_let_through_almost_never():
    random = Random(3)
    letters = [
        "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(1, 9))) for _ in range(3000)
    ]
    texts = [" ".join(random.choices(letters, k=2000)) for _ in range(50)]
    assert not any(may_loop(text, min_tokens=60) for text in texts)


@pytest.mark.parametrize("text", ["", "a", "<think>\n\n</think>", "ab " * 10, "\ud800" * 200])
def test_short_and_odd_texts_are_no_trouble(text):
    assert may_loop(text, min_tokens=60) is (len(text) == 200)


@pytest.fixture
def real_traces(real_data):
    texts = []
    for name in ("misguided_attention", "unanswerable"):
        with gzip.open(real_data / f"traces_{name}.jsonl.gz", "rt") as lines:
            rows = [json.loads(line) for line in lines]
        texts += [join(row["reasoning"] or "", row["answer"] or "") for row in rows[::2]]
    return texts
