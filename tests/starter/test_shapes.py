"""Which form rows have: each in the columns that its publishers use."""

import pytest

from distillery.starter.shapes import shape_of

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
        "keep": ["trace_id", "sample", "text", "reasoning", "answer", "finish"],
    }


def test_a_column_that_mostly_holds_something_else_is_none():
    assert shape_of([{"problem": 1, "answer": "4"}, {"problem": 2, "answer": "5"}]) is None
    assert shape_of([{"colour": "red"}]) is None
