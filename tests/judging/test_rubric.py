from __future__ import annotations

import pytest

from distillery.judging.rubric import mean, read_scores

GOOD = '{"helpful": 8, "correct": 10, "complete": 7, "style": 9}'


@pytest.mark.parametrize("text", [GOOD, f"It is good {{so far}}.\n{GOOD}", f"Reasons.\n```json\n{GOOD}\n```"])
def test_the_object_that_ends_the_reply_is_read(text):
    scores = read_scores(text)
    assert scores == {"helpful": 8, "correct": 10, "complete": 7, "style": 9}
    assert mean(scores) == 8.5


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8 out of 10",
        f"{GOOD} and so it is good",
        GOOD.replace("9", "11"),
        GOOD.replace("9", "0"),
        GOOD.replace("9", "8.5"),
        GOOD.replace("9", "true"),
        GOOD.replace("9", '"9"'),
        GOOD.replace('"style": 9', '"tone": 9'),
        GOOD.replace("9}", '9, "helpful": 10}'),
        f"[{GOOD}]",
        "{" * 100_000,
    ],
)
def test_anything_else_is_no_vote(text):
    assert read_scores(text) is None
