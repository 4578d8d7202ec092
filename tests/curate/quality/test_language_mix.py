from __future__ import annotations

import gzip
import json

import pytest

from distillery.curate.quality.language_mix import slip


@pytest.fixture
def rows_of(real_data):
    def read(name: str) -> list[dict]:
        with gzip.open(real_data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]

    return read


def test_labelled_real_traces_are_told_apart(rows_of):
    """Measured: 32 of 32 mixed ones found, none of 90 clean ones flagged, and 2 of 22 that quote on
    purpose."""
    rows = rows_of("lang_mix_traces")
    flagged = {
        row["id"] for row in rows if slip(row["text"], row["main_language"], question=row["prompt"] or "")
    }
    of = {
        label: {row["id"] for row in rows if row["label"] == label} for label in ("mixed", "clean", "mention")
    }
    assert len(flagged & of["mixed"]) >= 32
    assert not flagged & of["clean"]
    assert len(flagged & of["mention"]) <= 2


def test_of_thousands_of_english_traces_only_those_that_slip_are_flagged(rows_of):
    """Every one of the flagged was read: each has a word of Chinese in the middle of an English sentence."""
    names = "gsm8k_test_a math500_a misguided_attention unanswerable medical_verifiable star1_safety"
    rows = [row for name in names.split() for row in rows_of(f"traces_{name}")]
    flagged = {row["id"] for row in rows if slip(row["reasoning"] or "", "en", question=row["question"])}
    assert len(rows) > 4000
    assert flagged == {
        "mip-gsm8k-QwQ-228",
        "mip-gsm8k-QwQ-310",
        "mip-gsm8k-s1.1-219",
        "mip-gsm8k-s1.1-220",
        "mip-gsm8k-s1.1-513",
        "mip-unanswerable-formula-s1.1-3",
        "mip-unanswerable-formula-s1.1-23",
        "mip-unanswerable-formula-s1.1-41",
        "star1-19672",
        "star1-4266",
    }


def test_of_thousands_of_chinese_texts_only_those_that_slip_are_flagged(rows_of):
    """Every one of the flagged was read: an English sentence or bare HTML and program text in a Chinese
    answer."""
    rows = rows_of("general_alpaca_zh_4000")
    flagged = [
        row["id"]
        for row in rows
        if slip(row["output"], "zh", question=row["instruction"] + " " + (row["input"] or ""))
    ]
    english = {"alpaca-zh2-5078", "alpaca-zh2-4489", "alpaca-zh2-6177"}
    assert len(rows) == 4000
    assert english <= set(flagged)
    assert len(flagged) <= 14


@pytest.mark.parametrize(
    ("thought", "language", "mixed"),
    [
        ("We add them, 所以 the sum is four.", "en", True),
        ("We add them и получаем four.", "en", True),
        ("So \\[ \\text{Anne's次数} = 21 \\]", "en", True),
        ("The user is催促尽快回答, so I hurry.", "en", True),
        ("The word “三角形” means triangle.", "en", False),
        ('In Chinese, "goldfish" (金鱼) might sound like that.', "en", False),
        ("In Hebrew numerals, zayin (the letter ז) is 7.", "en", False),
        ("Let α and β be the roots, $αβ = 7$ and λ the ratio.", "en", False),
        ("The naïve Erdős bound from Übung 3 holds.", "en", False),
        ("先算 $x^2$，再用 sin 函数，得到 km 为单位的结果。", "zh", False),
        ("可以用 Microsoft Excel 或 Google Sheets。", "zh", False),
        ("1. 法国 (France)\n2. 英国 (United Kingdom)", "zh", False),
        ("先算一下。Then I will add the two numbers to get the result. 好。", "zh", True),
        ("this thought should be in another language", "zh", False),  # of seven words; a term may be so long
        ("but this thought should be written in another language altogether", "zh", True),
        ("この問題を考える。", "zh", True),
        ("因为 ab + bc + ca = 1，所以 abc 与 xyz 互质，mn | pq，xy = de，ef = gh。", "zh", False),
        ("设 a, b, c, d, e, f, g, h 为正整数，求最大值。", "zh", False),
        ("线段 AB, CD, EF, GH, IJ, KL, MN, OP 都相等。", "zh", False),
        ("足量的NaHSO3和Na2CO3溶液产生CO2，若通入SO2，也得到CO2、NaCl和HCl。", "zh", False),
        ("给你数组，返回满足 i < j < n 且 nums[i] + nums[j] < target 的下标对。", "zh", False),
        ("我们 add the two and get four，然后 it is so 完成 and we can do it", "zh", True),
        ("我们 calculate the total amount first, 然后 find the answer directly", "zh", True),
        ("3 + 4 = 7", "en", False),
    ],
)
def test_slips_into_another_language(thought: str, language: str, mixed: bool):
    assert bool(slip(thought, language)) == mixed


def test_a_script_of_the_question_is_excused():
    thought = "The sentence 我爱你 means I love you."
    assert slip(thought, "en", question="Translate 我爱你 into English.") is None
    assert slip(thought, "en", question="Translate it.") is not None


def test_words_of_another_script_count_wherever_in_the_text_their_line_stands():
    lines = "\n".join(f"Line {n} is English." for n in range(50))
    assert slip(f"{lines}\nso 所以\n{lines}", "en") is not None
    assert slip(f"{lines}\n```\nx = 所以\n```\n{lines}", "en") is None
    japanese = "\n".join(["これは日本語の文です。"] * 40)
    assert slip(f"{japanese}\nOne line is English.", "ja") is None
    assert "0." in str(slip("ƒăđęł ɐɔɓ " * 3 + "ግዕዝ " * 20 + "\nso it is", "en"))
