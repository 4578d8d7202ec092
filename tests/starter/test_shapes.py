"""Which form rows have: each in the columns that its publishers use."""

from __future__ import annotations

import json
from typing import Any

import pytest

from distillery.config import build
from distillery.stages.ingest.file import IngestFile
from distillery.stages.ingest.problem_rows import shards
from distillery.starter.shapes import shape_of, taken

THOUGHT = "<think>\nhm\n</think>\n4"
PUBLISHED = {
    "OpenR1-Math": {
        "problem": "2+2?",
        "generations": [THOUGHT, "5"],
        "answer": "4",
        "finish_reasons": ["stop"] * 2,
    },
    "OpenThoughts-114k": {
        "system": "Think.",
        "conversations": [
            {"from": "user", "value": "2+2?"},
            {"from": "assistant", "value": "<|begin_of_thought|>hm<|end_of_thought|>"},
        ],
    },
    "OpenThoughts3": {
        "difficulty": 5,
        "domain": "math",
        "conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": THOUGHT}],
    },
    "ShareGPT": {
        "id": "1",
        "conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}],
    },
    "Mixture-of-Thoughts": {
        "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": THOUGHT}],
        "num_tokens": 9,
        "source": "x",
    },
    "AM-DeepSeek-R1-Distilled": {
        "messages": [
            {"role": "user", "content": "2+2?", "info": {"reference_answer": "4"}},
            {"role": "assistant", "content": THOUGHT, "info": {"think_content": "hm"}},
        ]
    },
    "chat messages": {
        "messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": THOUGHT}]
    },
    "verl or TRL prompts": {
        "prompt": [{"role": "user", "content": "2+2?"}],
        "reward_model": {"style": "rule", "ground_truth": "4"},
    },
    "OpenThoughts metadata": {"problem": "2+2?", "deepseek_reasoning": "hm", "deepseek_solution": "4"},
    "thought and answer in columns of their own": {"Question": "2+2?", "Complex_CoT": "hm", "Response": "4"},
    "Alpaca": {"instruction": "Add.", "input": "2+2", "output": "4"},
    "GSM8K": {"question": "2+2?", "answer": "two and two\n#### 4"},
    "problems with one response each": {"problem": "2+2?", "expected_answer": "4", "generation": THOUGHT},
    "multiple choice": {"question": "2+2?", "choices": ["3", "4"], "answer": 1},
    "problems": {"problem": "2+2?", "answer": "4", "solution": "Add."},
    "batch results of OpenAI or vLLM, beside their questions": {
        "custom_id": "task-0",
        "prompt": "2+2?",
        "response": {
            "body": {
                "choices": [
                    {"message": {"content": "4", "reasoning_content": "hm"}, "finish_reason": "stop"},
                    {"message": {"content": "5"}, "finish_reason": "length"},
                ]
            }
        },
    },
    "several generations a problem": {"prompt": "2+2?", "responses": ["4", "5"]},
}


@pytest.mark.parametrize(("name", "row"), PUBLISHED.items(), ids=str)
def test_each_published_form_is_told_by_its_columns(name, row):
    shape = shape_of([row] * 3)
    assert shape
    assert shape.name == name


def test_what_the_rows_lack_is_not_mapped():
    shape = shape_of([{"problem": "2+2?", "generations": ["4"]}])
    assert shape
    assert shape.options == {
        "columns": {"question": "problem", "text": "generations"},
        "explode": ["generations"],
        "keep": ["trace_id", "sample", "text", "reasoning", "answer"],
    }


def test_a_column_that_mostly_holds_something_else_is_none():
    assert shape_of([{"problem": 1, "answer": "4"}, {"problem": 2, "answer": "5"}]) is None
    assert shape_of([{"colour": "red"}]) is None


def taken_in(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What the form of such a row, and of ones like it, makes of it."""
    shape = shape_of([row] * 9)
    assert shape
    row_map = build(IngestFile, {"path": "x.jsonl", **shape.options}, where="x").row_map
    (output,) = shards([("1", row)], row_map, shard_rows=99)
    assert output.dropped.is_empty(), output.dropped.rows()
    return output.kept.to_dicts()


def turns(*said: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(said)]


CODE = "import math\n\n\ndef area(r):\n    return math.pi * r * r\n"
PROSE = "We first note that the sum of two even numbers is even, which ends the proof of this part. " * 9
TRACES = {
    "KTO": {"prompt": "2+2?", "completion": "4", "label": True},
    "KTO in turns": {"prompt": turns("2+2?"), "completion": turns("", "4")[1:], "label": True},
    "DPO": {"prompt": "2+2?", "chosen": "4", "rejected": "5"},
    "DPO in turns": {"prompt": turns("2+2?"), "chosen": turns("", "4")[1:], "rejected": turns("", "5")[1:]},
    "UltraFeedback": {"prompt": "2+2?", "chosen": turns("2+2?", "4"), "rejected": turns("2+2?", "5")},
    "HH": {"chosen": "\n\nHuman: 2+2?\n\nAssistant: 4", "rejected": "\n\nHuman: 2+2?\n\nAssistant: 5"},
    "Nemotron": {"input": turns("2+2?"), "output": "4", "reasoning": "off", "system_prompt": "x"},
    "KodCode": {"question": "2+2?", "solution": CODE, "test": "assert area(1) > 3", "r1_solution": "4"},
    "SYNTHETIC-1": {"prompt": "2+2?", "llm_response": "4", "gold_standard_solution": PROSE},
    "LLaMA-Factory": {"指令": "2+2?", "输出": "4"},
    "问答": {"问题": "2+2?", "回答": "4"},
}  # fmt: skip
THOUGHTS = {
    "Dolphin-R1": {"messages": turns("2+2?"), "reasoning": "hm hm", "answer": "4", "model": "R1"},
    "s1K": {"question": "2+2?", "thinking_trajectories": ["hm hm"], "attempt": "4", "cot_type": "math"},
    "Chinese R1": {"input": "2+2?", "reasoning_content": "hm hm", "content": "4", "repo_name": "x"},
    "without another gold": {"Question": "2+2?", "Reasoning": "hm hm", "Answer": "4"},
    "思考": {"问题": "2+2?", "思考": "hm hm", "回答": "4"},
    "AM-R1": {"messages": turns("2+2?", "<think>hm hm</think>\n<answer>4</answer>")},
}  # fmt: skip
GOLDS = {
    "TRL answer": {"prompt": turns("2+2?"), "answer": "4"},
    "TRL ground_truth": {"prompt": turns("2+2?"), "ground_truth": 4},
    "TRL solution": {"prompt": turns("2+2?"), "solution": "4"},
    "verl": {"prompt": turns("2+2?"), "reward_model": {"style": "rule", "ground_truth": "4"}},
    "SYNTHETIC-1": {"prompt": "2+2?", "llm_response": "4", "verification_info": '{"ground_truth": "4"}'},
    "DeepMath": {"question": "2+2?", "final_answer": "4", "r1_solution_1": "a", "r1_solution_2": "b"},
    "s1K": {"question": "2+2?", "solution": "4", "thinking_trajectories": ["hm"], "attempt": "so"},
    "LIMO": {"question": "2+2?", "solution": "I think. " * 300, "answer": "4"},
    "问题": {"问题": "2+2?", "答案": "4"},
    "AM-R1": {"messages": [{**turns("2+2?")[0], "info": {"reference_answer": "4"}}, turns("", "so")[1]]},
    "DeepScaleR": {"problem": "2+2?", "answer": "4", "solution": PROSE},
}  # fmt: skip


@pytest.mark.parametrize("row", TRACES.values(), ids=TRACES)
def test_the_response_is_taken_wherever_a_form_has_it(row: dict[str, Any]):
    (found,) = taken_in(row)
    assert (found["question"], found["text"], found["gold"]) == ("2+2?", "4", "")
    assert found.get("outcome") == ("correct" if "label" in row else None)


@pytest.mark.parametrize("row", THOUGHTS.values(), ids=THOUGHTS)
def test_the_thought_is_taken_wherever_a_form_has_it(row: dict[str, Any]):
    (found,) = taken_in(row)
    names = ("question", "reasoning", "answer", "gold")
    assert tuple(found[name] for name in names) == ("2+2?", "hm hm", "4", "")


@pytest.mark.parametrize("row", GOLDS.values(), ids=GOLDS)
def test_the_gold_is_taken_wherever_a_form_has_it(row: dict[str, Any]):
    assert {found["gold"] for found in taken_in(row)} == {"4"}


@pytest.mark.parametrize("solution", [CODE, f"```python\n{CODE}```", PROSE, "#include <cstdio>\nint x = 1;"])
def test_a_program_or_a_proof_is_no_gold(solution: str):
    for name in ("solution", "answer", "output", "reference", "答案"):
        assert taken_in({"question": "2+2?", name: solution})[0]["gold"] == ""
    boxed = f"{PROSE} \\boxed{{4}}"
    assert taken_in({"question": "2+2?", "solution": boxed})[0]["gold"] == boxed


def test_generations_in_columns_of_their_own_are_traces_of_one_problem():
    row = {"question": "2+2?", "final_answer": "4", **{f"r1_solution_{n}": f"so {n}" for n in (1, 2, 3)}}
    assert [(one["text"], one["sample"]) for one in taken_in(row)] == [("so 1", 0), ("so 2", 1), ("so 3", 2)]


def test_a_column_that_holds_nothing_is_left_out_of_all_options():
    row = {"problem": "2+2?", "answer": None, "generations": ["4"], "finish_reasons": None}
    assert [one["text"] for one in taken_in(row)] == ["4"]


def test_responses_to_multiple_choice_keep_its_choices():
    row = {"question": "2+2?", "options": ["3", "4"], "answer": "B", "generation": "It is (B)."}
    (found,) = taken_in(row)
    assert found["question"] == "2+2?\n\n(A) 3\n(B) 4"
    assert (found["gold"], found["checker"], found["text"]) == ("B", "choice", "It is (B).")
    assert json.loads(found["payload"]) == {"choices": ["3", "4"]}


def test_what_is_said_to_be_taken_is_what_is_mapped():
    options = {
        "messages": "prompt",
        "columns": {"gold": "a.b", "text": "each", "payload": {"tests": "t"}, "question": ["i", "j"]},
        "explode": {"each": ["r_1", "r_2"]},
        "choices": ["A", "B"],
    }
    assert taken(options) == ["prompt", "a.b", "t", "i", "j", "A", "B", "r_1", "r_2"]
