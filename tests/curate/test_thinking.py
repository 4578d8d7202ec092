from __future__ import annotations

import json
from pathlib import Path

import pytest

from distillery.curate.thinking import Why, deserves, words

SEEDS = Path(__file__).parents[2] / "data" / "seeds" / "general.jsonl"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "Hi",
            "hello there!",
            "Good morning everyone",
            "Thanks a lot :)",
            "ok",
            "Thank you so much, you helped me",
        ),
        *(
            "How are you today?",
            "Bye, see you tomorrow",
            "what's up?",
            "Happy new year!!",
            "Yes please",
            "🙂",
            "???",
        ),
        *(
            "你好",
            "早上好呀～",
            "谢谢你啦",
            "非常感谢，问题解决了。",
            "在吗？",
            "最近怎么样",
            "再见，周末愉快",
            "哈哈哈",
        ),
    ],
)
def test_small_talk_needs_no_thought(text):
    assert deserves(text) == ("off", Why.SMALL_TALK)
    assert deserves(text, follows=True) == ("off", Why.SMALL_TALK)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("What is the capital of Peru?", Why.LOOKUP),
        ("In which country is the city of Graz?", Why.LOOKUP),
        ("Who wrote the novel Emma", Why.LOOKUP),
        ("法国的首都是哪里？", Why.LOOKUP),
        ("一年有多少天", Why.LOOKUP),
        ("Who are you?", Why.ABOUT_ITSELF),
        ("Are you a robot?", Why.ABOUT_ITSELF),
        ("你是谁？", Why.ABOUT_ITSELF),
        ("谁开发了你？", Why.ABOUT_ITSELF),
    ],
)
def test_one_fact_needs_no_thought(text, why):
    assert deserves(text) == ("off", why)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Hello, please write a poem about rust.", Why.TASK),
        ("Thanks! And why is that so?", Why.TASK),
        ("What should I cook for eight people if two of them eat no meat?", Why.TASK),
        ("How many letters are in the word strawberry?", Why.TASK),
        ("你好，请帮我写一封信", Why.TASK),
        ("为什么天是蓝的？", Why.TASK),
        ("谢谢，那如果下雨怎么办？", Why.TASK),
        ("What is 12 * 13?", Why.MATHS),
        ("3 + 5 等于几", Why.MATHS),
        (r"Simplify \frac{6}{8}", Why.MATHS),
        ("What does `ls -l` do?", Why.CODE),
        ("这段代码对吗？\n```python\nprint(1)\n```", Why.CODE),
        ("Hello. " + "My cat sleeps on the sofa and I like it very much. " * 4, Why.LONG),
        ("今天我去了公园，看到了很多花，也看到了很多人，大家都很开心。" * 3, Why.LONG),
    ],
)
def test_tasks_conditions_code_maths_and_long_prompts_deserve_one(text, why):
    assert deserves(text) == ("on", why)


def test_a_short_question_that_follows_others_is_not_taken_for_a_lookup():
    assert deserves("Which was the third one?").thinking == "off"
    assert deserves("Which was the third one?", follows=True) == (None, Why.UNKNOWN)


@pytest.mark.parametrize(
    "text",
    [
        "Rust or Go",
        "一个人在海边",
        "Which plant is this county known for, so to speak, among the older folk of it?",
    ],
)
def test_what_no_rule_knows_is_left_open(text):
    assert deserves(text) == (None, Why.UNKNOWN)


def test_a_chinese_character_is_a_little_more_than_half_a_word():
    assert words("two words") == 2
    assert words("五个汉字吧") == pytest.approx(3)
    assert words("用 CSS 实现") == pytest.approx(2.8)


def test_the_rules_agree_with_the_categories_of_the_seeds():
    rows = [json.loads(line) for line in SEEDS.read_text().splitlines()]
    for row in rows:
        ruling = deserves(row["question"], follows="history" in row["payload"])
        if row["source"] in ("chat", "self_cognition"):
            assert ruling.thinking == "off", row["question"]
        elif row["source"] != "factual_qa":
            assert ruling.thinking != "off", row["question"]
