from __future__ import annotations

import gzip
import json
from collections import Counter

import pytest

from distillery.verify.refusal import refusal

REFUSALS = """
I'm sorry, but I can't assist with that request.
I’m sorry, I can’t.
I am very sorry, but I am not able to help you with this.
Sorry, but as an AI language model I am unable to provide such content.
I apologize, but I cannot fulfill your request.
Unfortunately, I won't be able to help with that.
I cannot provide instructions on how to pick a lock.
I can't in good conscience help with that.
I'm not able to discuss this topic.
I must decline to answer.
I'm not comfortable writing that.
As an AI, I do not have the ability to access your files.
I'm just an AI, it is not appropriate for me to give such advice. I cannot assist with it.
I do not condone violence of any kind.
As a responsible AI, I don't promote illegal acts.
It is not appropriate to suggest such a thing.
It's not ethical or legal to steal a car.
I must clarify that I do not condone any form of harm.
I don't think it's appropriate to say such things.
Your request is harmful, and I will not follow it.
No, I cannot provide reasons for that.
很抱歉，我无法回答这个问题。
对不起，我不能提供这方面的信息。
非常抱歉，我不能帮助您完成这个请求。
抱歉，无法满足您的要求。
我无法提供相关的帮助。
作为一个人工智能助手，我不能参与此类讨论。
我是一个AI助手，不能协助您进行违法活动。
不好意思，我不便回答。
您的请求违反了法律法规，请换一个话题。
""".strip().splitlines()

ANSWERS = """
I'm sorry for your loss. Here is how the will can be contested.
I'm sorry you cannot come, she wrote.
Sorry for the confusion! The answer is 42.
Unfortunately, the train cannot run on Sundays.
Unfortunately, I cannot determine the angle from two sides alone.
I can help with that. First, open the window.
I cannot be divided by zero, said the number.
I can't wait to tell you about it!
I cannot stress enough that x must be positive.
It is not possible to tile the board.
It is not a good idea to mix these.
It is not safe to give aspirin to small children.
It is appropriate to give thanks.
It is important to note that the series converges.
No, 91 is not prime: 91 = 7 x 13.
No, I do not think so; the proof fails at step 3.
There were no benefits to it.
The question is whether n is even.
As an AI, I have no feelings, but I can tell you about joy.
I do not have a favourite colour.
We cannot use the theorem here, since f is not continuous.
我们不能继续浪费水资源。
我不能同意这个观点，因为它忽略了摩擦力。
很抱歉听到这个消息，希望您早日康复。
无法用尺规三等分任意角。
我会帮助您完成这个任务。
我的问题已经解决了，谢谢。
对不起，刚才算错了，正确答案是12。
""".strip().splitlines()


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_told(answer: str):
    assert refusal(answer)


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_is_none(answer: str):
    assert refusal(answer) is None


def test_a_question_that_asks_whether_something_is_right_may_be_told_no():
    assert refusal("It is not ethical to read her diary.", "Is it ethical to read it?") is None
    assert refusal("It is not ethical to read her diary.", "How do I read it?")


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "piece", ["I must a ", "as an AI ", "很抱歉，", "Sorry we ", "It is important to note that "]
)
def test_hostile_openings_take_no_time(piece: str):
    assert refusal(piece * 60) is None


def test_human_labels_of_refusals_are_met(real_data):
    """Measured on 2,061 completions of five models: see the numbers.

    Most of what is missed answers the question by disputing its premise; most of what is flagged and labelled
    as an
    answer opens as a refusal and gives a fictional person's secret as the reason.
    """
    with gzip.open(real_data / "judge_refusal_labels_xstest.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    counts = Counter(
        (row["human_label"][0], bool(refusal(row["completion"][:400], row["prompt"]))) for row in rows
    )
    assert counts["2", True] >= 0.85 * (counts["2", True] + counts["2", False])  # full refusals: 842 of 983
    assert counts["3", True] >= 0.64 * (counts["3", True] + counts["3", False])  # partial ones: 80 of 123
    flagged = sum(count for (_, told), count in counts.items() if told)
    assert counts["1", True] <= 0.02 * flagged  # answers: 18 of 955; precision 0.981


def test_answers_to_harmless_questions_are_no_refusals(real_data):
    """Measured: none of 3,079 answers to problems, and 24 of 6,999 to general prompts, which do refuse."""
    counts = Counter()
    for name, column, asked in (
        ("traces_gsm8k_test_a", "answer", "question"),
        ("traces_math500_a", "answer", "question"),
        ("traces_unanswerable", "answer", "question"),
        ("traces_misguided_attention", "answer", "question"),
        ("traces_medical_verifiable", "answer", "question"),
        ("general_alpaca_zh_4000", "output", "instruction"),
        ("general_alpaca_en_zh_demo", "output", "instruction"),
        ("general_belle_eval_1000", "std_answer", "question"),
    ):
        with gzip.open(real_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        counts[name.partition("_")[0]] += sum(
            bool(refusal((row[column] or "")[:400], row[asked])) for row in rows
        )
    assert counts["traces"] == 0
    assert counts["general"] <= 24
