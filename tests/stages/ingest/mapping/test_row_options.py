from __future__ import annotations

from typing import Any

import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.stages.ingest.file import IngestFile


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"explode": ["m"], "messages": "m"}, r"messages: 'm' is a conversation, or a list"),
        ({"explode": ["a", "a"]}, r"explode: 'a' stands there twice"),
        ({"explode": 3}, r"explode"),
        ({"messages": "m", "constants": {"question": "a"}}, r"constants\.question: `messages` gives it"),
        (
            {"messages": "m", "columns": {"payload": {"history": "h"}}},
            r"columns\.payload: 'history' is given",
        ),
        (
            {"messages": "m", "constants": {"payload": {"system": "h"}}},
            r"columns\.payload: 'system' is given",
        ),
        ({"choices": "c", "columns": {"payload": {"choices": "x"}}}, r"columns\.payload: 'choices' is given"),
        ({"choices": ["a", "a"]}, r"choices: 'a' stands there twice"),
        ({"gold_is": "text"}, r"gold_is: is 'text', but no `choices` are named"),
        ({"messages": "m", "system": "kep"}, r"system"),
        ({"system": "drop"}, r"system: is 'drop', but no `messages`"),
        (
            {"columns": {"text": "a", "answer": "b"}, "keep": ["text"]},
            r"columns\.answer: is a part of `text`",
        ),
        ({"columns": {"answer": "b"}}, r"columns\.answer: nothing of a response is kept"),
        ({"columns": {"gold": "a"}, "constants": {"gold": "b"}}, r"columns\.gold: is a constant too"),
        ({"columns": {"gold": ["a", "b"]}}, r"columns\.gold: is \['a', 'b'\]; only a question"),
        ({"columns": {"question": []}}, r"columns\.question: is \[\]"),
        ({"columns": {"gold": "text"}, "keep": ["text"]}, r"keep\.text: their 'text' is read as another"),
        (
            {"columns": {"gold": "answer", "source": "text"}, "keep": ["answer"]},
            r"keep\.answer: their 'answer'",
        ),
        ({"keep": ["a", "a"]}, r"keep: 'a' stands there twice"),
        ({"thought_tags": ["<a>"]}, r"thought_tags: is \['<a>'\]; a thought has two tags"),
        ({"thought_tags": ["<a>", " "]}, r"thought_tags"),
        ({"constants": {"language": "python"}}, r"constants\.language: is 'python', which is no language"),
        (
            {"constants": {"outcome": "maybe"}, "keep": ["outcome"]},
            r"constants\.outcome: is 'maybe', no verdict",
        ),
        ({"constants": {"gold": ["a", "b"]}}, r"constants\.gold: is a list of 2"),
    ],
)
def test_options_that_contradict_one_another_are_refused_when_the_pipeline_is_read(
    options: dict[str, Any], says: str
):
    with pytest.raises(ConfigError, match=says) as caught:
        build(IngestFile, {"path": "x.jsonl", **options}, where="stages[0]")
    assert "\n" not in str(caught.value)


def test_what_can_be_meant_is_taken():
    for options in (
        {"explode": "generations", "messages": "generations.turns"},
        {"messages": "m", "system": "drop", "constants": {"payload": {"system": "Be brief."}}},
        {"columns": {"gold": "solution"}, "keep": ["solution"]},
        {"columns": {"payload": {"tests": "t"}}, "constants": {"payload": {"style": "stdio"}}},
        {"columns": {"text": "answer"}, "keep": ["text", "answer"]},
        {"messages": "m", "columns": {"text": "a"}, "keep": ["text"]},
        {"explode": {"each": ["a", "b"]}, "columns": {"text": "each"}, "keep": ["text"]},
    ):
        build(IngestFile, {"path": "x.jsonl", **options}, where="stages[0]")
