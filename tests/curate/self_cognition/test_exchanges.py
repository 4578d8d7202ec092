from __future__ import annotations

import pytest

from distillery.curate.quality.claimed_makers import claimed_maker
from distillery.curate.self_cognition import exchanges as module
from distillery.curate.self_cognition.exchanges import Card, Topic, exchanges, others
from distillery.errors import ConfigError
from distillery.installed.word_lists import word_lists

PHRASES = word_lists(module.__file__)
CARD = Card("Aurora", "Polar Lab", version="2.1", knowledge="July 2024")
WHOLE = {"en": 1097, "zh": 1097}
KNOWN = {name.lower() for names in PHRASES["others"].values() for name in names} | {
    *(
        "openai",
        "anthropic",
        "google",
        "alibaba",
        "meta ai",
        "microsoft",
        "baidu",
        "阿里",
        "百度",
        "谷歌",
        "字节",
        "腾讯",
        "深度求索",
    )
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_there_are_forty_questions_and_five_answers_to_each(language):
    phrases = PHRASES[language]
    questions = [line for topic in Topic for line in phrases[topic]["questions"].splitlines()]
    assert len(set(questions)) == len(questions) > 40
    for topic in Topic:
        answers = phrases[topic]["answers"].splitlines()
        assert len(set(answers)) == len(answers) >= 5, topic


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("card", "own"),
    [(CARD, ("Aurora", "Polar")), (Card("DeepSeek-R1", "DeepSeek", "1", "2024"), ("DeepSeek",))],
)
def test_no_answer_names_another_model_or_claims_to_be_one(language, card, own):
    found = exchanges({language: card}, count=900, seed=0)
    foreign = {name for name in KNOWN if not any(mine.lower() in name for mine in own)}
    for exchange in found:
        assert claimed_maker(exchange.answer, own=own) is None, exchange
        assert not any(name in exchange.answer.lower() for name in foreign - {"深度求索"}), exchange
        assert "{" not in exchange.question + exchange.answer


def test_a_question_with_another_name_is_answered_with_the_own_one():
    found = exchanges({"en": CARD, "zh": CARD}, count=2000, seed=1)
    asked = [one for one in found if one.topic is Topic.OTHER]
    assert {"Are you ChatGPT?", "你是通义千问吗？"} <= {one.question for one in asked}
    assert all("Aurora" in one.answer for one in asked)


@pytest.mark.parametrize(
    ("name", "maker", "never"),
    [
        ("DeepSeek-R1", "DeepSeek", "DeepSeek"),
        ("Qwen3", "Alibaba", "通义千问"),
        ("R1-Distill-Qwen", "us", "Qwen"),
        ("Nova", "OpenAI", "ChatGPT"),
        ("gemini", "google", "Bard"),
    ],
)
def test_nobody_is_asked_whether_it_is_itself(name, maker, never):
    left = [*others("en", Card(name, maker)), *others("zh", Card(name, maker))]
    assert never not in left
    assert len(left) > 20


def test_what_is_not_known_is_not_asked_for():
    bare = exchanges({"en": Card("Aurora", "Polar Lab")}, count=1000, seed=0)
    assert not {Topic.VERSION, Topic.KNOWLEDGE} & {one.topic for one in bare}
    full = exchanges({"en": CARD}, count=1000, seed=0)
    assert {Topic.VERSION, Topic.KNOWLEDGE} <= {one.topic for one in full}


def test_every_question_stands_there_before_any_stands_there_twice():
    found = exchanges({"en": CARD}, count=215, seed=3)
    assert len({one.question for one in found}) == 215
    assert len(set(exchanges({"en": CARD}, count=WHOLE["en"], seed=3))) == WHOLE["en"]


def test_the_seed_says_which_are_drawn_and_fewer_are_the_first_of_more():
    many = exchanges({"en": CARD, "zh": CARD}, count=60, seed=5)
    assert exchanges({"zh": CARD, "en": CARD}, count=30, seed=5) == many[:30]
    assert exchanges({"en": CARD, "zh": CARD}, count=60, seed=6) != many
    assert {one.language for one in many} == {"en", "zh"}


def test_more_than_there_are_is_a_config_error():
    with pytest.raises(ConfigError, match="count is 9000; of 1 languages there are 1097"):
        exchanges({"en": CARD}, count=9000, seed=0)
