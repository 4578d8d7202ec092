"""What a row becomes: its tokens, and which of them are trained on."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from distillery.errors import ConfigError
from distillery.miniature import sums
from distillery.train.examples import IGNORED, conversation, encode, fault, grpo_rows, problems, sft_examples

QUESTION, TEXT = "Calculate 2 + 3 + 1 .", "<think>\n2 plus 3\n</think>\n<answer>6</answer>"
CHAT = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": TEXT}]


def taught(tokenizer: Any, messages: list[dict[str, str]]) -> str:
    return tokenizer.decode([label for label in encode(messages, tokenizer).labels if label != IGNORED])


def test_only_the_response_and_the_end_token_are_trained_on(tokenizer: Any) -> None:
    assert taught(tokenizer, CHAT) == f"{TEXT}<|end|>"


def test_all_turns_of_the_assistant_are_trained_on(tokenizer: Any) -> None:
    assert taught(tokenizer, [*CHAT, *CHAT]) == f"{TEXT}<|end|>{TEXT}<|end|>"


def test_last_label_is_the_end_token(tokenizer: Any) -> None:
    assert encode(CHAT, tokenizer).labels[-1] == tokenizer.eos_token_id


def test_good_example_has_no_fault(tokenizer: Any) -> None:
    assert fault(encode(CHAT, tokenizer), CHAT, tokenizer) == ""


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{% for m in messages %}{{ m['content'] }}<|end|>{% endfor %}", "no token is trained on"),
        (
            "{% generation %}{% for m in messages %}{{ m['content'] }}<|end|>{% endfor %}{% endgeneration %}",
            "user's too",
        ),
        (
            "{% for m in messages %}<|user|>{% generation %}{{ m['content'] }}{% endgeneration %}<|end|>{% endfor %}",
            "would never stop",
        ),
        (
            "{% for m in messages %}<|user|>{% generation %}{{ m['content'][7:] }}<|end|>{% endgeneration %}{% endfor %}",
            "changes what is said",
        ),
    ],
)
def test_template_that_would_teach_something_else_is_refused(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch, template: str, complaint: str
) -> None:
    monkeypatch.setattr(tokenizer, "chat_template", template)
    with pytest.raises(ConfigError, match=complaint):
        sft_examples(pl.DataFrame({"question": [QUESTION], "text": [TEXT]}), tokenizer, max_length=100)


def test_long_example_is_dropped_whole_and_counted(tokenizer: Any) -> None:
    table = pl.DataFrame({"question": [QUESTION, QUESTION], "text": [TEXT, TEXT + TEXT * 5]})
    examples = sft_examples(table, tokenizer, max_length=60)
    assert (len(examples.kept), examples.too_long, examples.too_long_share) == (1, 1, 0.5)
    assert examples.kept[0].input_ids[-1] == tokenizer.eos_token_id


def test_messages_win_over_question_and_text() -> None:
    assert conversation({"messages": CHAT, "question": "other", "text": "other"}) == CHAT


def test_grpo_row_carries_the_problem_and_never_the_answer_text() -> None:
    (row,) = grpo_rows(pl.DataFrame(sums.worked(1, seed=0)))
    assert [message["role"] for message in row["prompt"]] == ["user"]
    columns = {name: [value] for name, value in row.items() if name != "prompt"}
    assert list(problems(columns)) == [sums.problems(1, seed=0)[0]]
