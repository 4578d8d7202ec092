"""A column's screen clears no row of a fault that it has."""

from __future__ import annotations

import gzip
import json
from random import Random

import polars as pl
import pytest

from distillery.curate.quality.faults import Fault, Limits, Reason, Response, faults
from distillery.curate.quality.whole_column import screen
from distillery.reasoning import join
from tests.curate.fault_examples import EXAMPLES

RESPONSES = [response for each in EXAMPLES.values() for response in (*each.faulty, *each.fine)]
PLANTED = (
    *(
        "<|im_end|>",
        "<｜end▁of▁sentence｜>",
        "<s>",
        "</think>",
        "<think>",
        "[/INST]",
        "\ufffd\ufffd\ufffd",
        "<0x0A>",
    ),
    *(
        "<|a\nb|>",
        "<|x",
        "```\n",
        "```python\nx = 1\n```\n",
        "I am ChatGPT.",
        "我是通义千问。",
        "GPT-4",
        "so be it, " * 60,
    ),
    *("so\u3000be\u00a0it, " * 60, "ab " * 30, "\n\n", " \\boxed{3} "),
)


def screened(responses: list[Response], limits: Limits, **more: tuple[Reason, ...]) -> list[list[Fault]]:
    texts = pl.Series([response.text for response in responses], dtype=pl.String)
    told = screen(texts, limits, languages=[response.language for response in responses], **more)
    return [list(faults(each, limits, known=known)) for each, known in zip(responses, told, strict=True)]


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(min_loop_tokens=20), Limits(min_long_loop_times=2.0, own_names=("ChatGPT",))]
)
def test_screened_examples_have_the_faults_that_they_have_alone(limits: Limits):
    assert screened(RESPONSES, limits) == [list(faults(response, limits)) for response in RESPONSES]


@pytest.mark.parametrize("seed", range(4))
def test_screened_texts_with_planted_faults_have_the_faults_that_they_have_alone(seed: int):
    random = Random(seed)
    responses = []
    for _ in range(300):
        text = random.choice(RESPONSES).text
        for _ in range(random.randint(0, 3)):
            place = random.randint(0, len(text))
            text = text[:place] + random.choice(PLANTED) + text[place:]
        responses.append(Response(text=text, language="en"))
    alone = [list(faults(response)) for response in responses]
    assert screened(responses, Limits()) == alone
    assert len({fault.reason for each in alone for fault in each}) >= 8


def test_screened_real_traces_have_the_faults_that_they_have_alone(real_data):
    with gzip.open(real_data / "traces_unanswerable.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines][::2]
    responses = [
        Response(text=join(row["reasoning"] or "", row["answer"] or ""), language="en") for row in rows
    ]
    assert screened(responses, Limits()) == [list(faults(response)) for response in responses]


def test_tests_that_are_skipped_are_not_asked_of_the_rows():
    texts = pl.Series(["<think>\nHm.\n</think>\nI am ChatGPT. <|im_end|>", ""])
    skip = (Reason.OTHER_MAKER, Reason.SPECIAL_TOKENS, Reason.REFUSAL)
    assert all(
        known.items() >= dict.fromkeys(skip).items()
        for known in screen(texts, Limits(), languages=["", ""], skip=skip)
    )


def test_no_texts_are_no_trouble():
    assert list(screen(pl.Series([], dtype=pl.String), Limits(), languages=[])) == []
