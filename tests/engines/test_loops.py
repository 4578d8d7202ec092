from random import Random

import pytest

from distillery.engines.loops import loop_end

WORDS = (
    "so",
    "we",
    "take",
    "the",
    "next",
    "term",
    "and",
    "add",
    "it",
    "to",
    "what",
    "we",
    "had",
    "before",
    "square",
)


def prose(count: int, seed: int = 1) -> str:
    random = Random(seed)
    return " ".join(f"{random.choice(WORDS)}{random.randint(0, 999)}" for _ in range(count))


@pytest.mark.parametrize("period", [1, 2, 7, 40, 47, 48, 49, 200, 1000, 4000])
def test_a_loop_of_any_period_is_found_and_cut_at_the_same_place_whenever_one_looks(period):
    phrase = prose(1200)[:period]
    begin = prose(100, seed=2)
    long = begin + phrase * (40_000 // period)
    ends = {loop_end(long[:length]) for length in (20_000, 25_003, 31_111, len(long))}
    (end,) = ends
    assert len(begin) < end <= len(begin) + max(1500, 4 * period) + period


def test_prose_does_not_loop():
    assert loop_end(prose(5000)) is None


def test_a_short_text_does_not_loop():
    assert loop_end("ha " * 100) is None
    assert loop_end("") is None


@pytest.mark.parametrize(
    "line", ["Case {n}: if x = {n} then y = {n}.\n", "| {n} | {n} | yes |\n", "{n} is divisible by 1.\n"]
)
def test_a_list_whose_lines_count_up_does_not_loop(line):
    assert loop_end("".join(line.format(n=n) for n in range(1000))) is None


def test_a_loop_that_was_left_is_not_one():
    assert loop_end("again and " * 400 + prose(60)) is None
