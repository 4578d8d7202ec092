import gzip
import json
from pathlib import Path

import pytest

from distillery.verify.instruction.languages import LANGUAGES, is_in

IFEVAL = "en es pt ar hi fr ru de ja it bn uk th ur ta te bg ko pl he fa vi ne sw kn mr gu pa ml fi"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is the first of the days that we have.", "en"),
        ("Dies ist der erste von den Tagen, die wir haben.", "de"),
        ("C'est le premier des jours que nous avons.", "fr"),
        ("Este es el primero de los días que tenemos.", "es"),
        ("Este é o primeiro dos dias que nós não temos.", "pt"),
        ("Это первый из дней, которые у нас есть.", "ru"),
        ("Це перший із днів, які ми маємо.", "uk"),
        ("这是我们的第一天，iPhone 很好。", "zh-cn"),
        ("これは最初の日です。", "ja"),
        ("ಇದು ಮೊದಲ ದಿನ", "kn"),
        ('```json\n{"antwort": "das ist die Antwort"}\n```', "de"),
    ],
)
def test_a_text_is_in_its_language_and_in_no_other(text: str, language: str):
    assert [code for code in sorted(LANGUAGES) if is_in(text, code)] == [language.partition("-")[0]]
    assert is_in(text, language)


def test_every_language_of_ifeval_can_be_told():
    assert set(IFEVAL.split()) <= LANGUAGES


def test_half_of_another_script_is_too_much():
    assert not is_in("这是我们的第一天天气很好 but this is the rest", "zh")
    assert not is_in("这是我们的第一天天气很好 but this is the rest", "en")


@pytest.mark.parametrize("text", ["Berlin", "42 = 6 * 7", ""])
def test_where_nothing_speaks_against_a_language_it_is_given(text: str):
    assert is_in(text, "de")


def test_three_sentences_are_told_from_other_languages(real_data: Path):
    by_language: dict[str, list[str]] = {}
    with gzip.open(real_data / "lang_id_sentences_45.jsonl.gz", "rt") as lines:
        for row in map(json.loads, lines):
            by_language.setdefault(row["language"], []).append(row["text"])
    texts = [
        (code, " ".join(said[place : place + 3]))
        for code, said in by_language.items()
        if code in LANGUAGES
        for place in range(0, 60, 3)
    ]
    own = sum(is_in(text, code) for code, text in texts)
    english = sum(is_in(text, "en") for code, text in texts if code != "en")
    assert own >= 0.99 * len(texts)
    assert english <= 0.01 * len(texts)
