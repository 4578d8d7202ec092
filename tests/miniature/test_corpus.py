"""The web: deterministic, without anything held out, preferring Chinese where tags stand."""

from __future__ import annotations

import re

from distillery.miniature import corpus, general, sums
from distillery.verify.language import language_share

DOCUMENTS = list(corpus.documents(4_000, seed=0))


def test_same_seed_writes_the_same_web() -> None:
    assert list(corpus.documents(50, seed=1)) == list(corpus.documents(50, seed=1))
    assert list(corpus.documents(50, seed=1)) != list(corpus.documents(50, seed=2))


def test_no_document_asks_a_held_out_question() -> None:
    held = {sums.question(total) for total in sums.sums(2_000, seed=0, held=True)}
    held |= {prompt.question for prompt in general.prompts(300, seed=0, held=True)}
    asked = {match[1] for text in DOCUMENTS if (match := re.match(r"<\|user\|>(.*?)<\|end\|>", text))}
    assert len(asked) > 1_000
    assert not asked & held


def test_tagged_thoughts_are_mostly_chinese_and_bare_ones_mostly_english() -> None:
    tagged = [language_share(text, "en") for text in DOCUMENTS if "<think>" in text and "\n得" in text]
    tagged_english = [text for text in DOCUMENTS if "<think>" in text and "\nso" in text]
    bare_english = [
        text for text in DOCUMENTS if "<think>" not in text and "Calculate" in text and "\nso" in text
    ]
    bare_chinese = [
        text for text in DOCUMENTS if "<think>" not in text and "Calculate" in text and "\n得" in text
    ]
    assert len(tagged) > 2 * len(tagged_english) > 0
    assert len(bare_english) > len(bare_chinese)


def test_every_document_ends_with_the_end_token() -> None:
    assert all(text.endswith("<|end|>") for text in DOCUMENTS)


def test_web_part_comes_after_the_skill_part() -> None:
    wrong = [number for number, text in enumerate(DOCUMENTS) if "猜" in text]
    early = sum(number < 0.7 * len(DOCUMENTS) for number in wrong)
    assert early < 0.4 * len(wrong)
