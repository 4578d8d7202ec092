from __future__ import annotations

import gzip
import json
from random import Random

import polars as pl
import pytest

from distillery.curate.quality.language_mix import may_mix, slip


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
    assert "0." in str(slip("ƒăđęł ɐɔɓ " * 3 + "ᏣᎳᎩ " * 20 + "\nso it is", "en"))


ENGLISH = (
    "Okay, let me see what we have. The train goes at 60 km/h, and it takes 3 hours to get there. "
    "So the distance is \\(60 \\times 3 = 180\\), and that is what they ask for. Wait, is it the same on the way back? "
    "Yes, it is, because the speed does not change."
)
CHINESE = "好的，我们先看题目。火车每小时行驶六十公里，一共需要三个小时，所以距离是一百八十公里。回程的速度不变，因此时间也不变。"
WORDS = (
    "所以",
    "再生",
    "因为",
    "поэтому",
    "получаем",
    "ですから",
    "그래서",
    "لذلك",
    "ดังนั้น",
    "इसलिए",
    "לכן",
    "তাই",
)
SENTENCES = (
    "Zuerst addieren wir die beiden Zahlen, und danach teilen wir das Ergebnis durch die Anzahl der Tage.",
    "Nous devons d'abord additionner les deux nombres et puis diviser le résultat par le nombre de jours.",
    "Primero tenemos que sumar los dos números y después dividir el resultado entre los días.",
    "Prima dobbiamo sommare i due numeri e poi dividere il risultato per il numero dei giorni.",
    "先把两个数相加，然后除以天数。",
    "Сначала нужно сложить два числа, а потом разделить результат на количество дней.",
)
NOT_MIXED = (
    *(
        "Erdős",
        "Paul Erdős and Kurt Gödel",
        "Johann Wolfgang von Goethe",
        "the Académie des sciences de Paris",
    ),
    *("the mathematician Liu Hui (刘徽)", "“三体” (The Three-Body Problem)", 'the book "三体"'),
    *("QED", "quod erat demonstrandum", "et al.", "vis-à-vis", "déjà vu", "ad infinitum"),
    *(
        "12 μm",
        "3 kΩ",
        "20 °C",
        "α + β = γ",
        "αβγ",
        "λ₁",
        "ℵ₀",
        "the group Ш",
        "$f: \\mathbb{R} \\to \\mathbb{R}$",
    ),
    *('`s = "你好"`', "\n```python\nprint('你好')\n```\n", "https://zh.wikipedia.org/wiki/数学"),
)


def places(text: str) -> list[int]:
    """Between words: near the beginning, in the middle, near the end."""
    return [text.index(word) for word in (" me see", " it takes", " the speed")]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", [" {}", "{}", " `{}`", " \\(\\text{{{}}} = 3\\)", ' "{}"', " ({})"])
def test_one_word_of_another_script_is_found_wherever_and_however_it_stands(word: str, form: str):
    for place in places(ENGLISH):
        mixed = ENGLISH[:place] + form.format(word) + ENGLISH[place:]
        assert slip(mixed, "en", question="How far does the train go?"), mixed


@pytest.mark.parametrize("sentence", SENTENCES)
@pytest.mark.parametrize("form", [" {}", "\n\n{}\n\n"])
def test_a_sentence_in_another_language_is_found_whatever_its_script(sentence: str, form: str):
    for place in places(ENGLISH):
        mixed = ENGLISH[:place] + form.format(sentence) + ENGLISH[place:]
        assert slip(mixed, "en", question="How far does the train go?"), mixed


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_language_that_the_question_holds_or_asks_for_is_nobodys_slip(sentence: str):
    place = places(ENGLISH)[1]
    text = f"{ENGLISH} {ENGLISH[:place]} {sentence} {ENGLISH[place:]}"
    assert slip(text, "en", question=f'What does "{sentence}" say?') is None
    names = ("German", "French", "Spanish", "Italian", "Chinese", "Russian")
    asked = f"Translate into {names[SENTENCES.index(sentence)]}: we add the two numbers."
    assert slip(text, "en", question=asked) is None


@pytest.mark.parametrize("shown", NOT_MIXED)
def test_names_notation_code_and_quotations_are_nobodys_slip(shown: str):
    for place in places(ENGLISH):
        text = f"{ENGLISH[:place]} {shown}{ENGLISH[place:]}"
        assert slip(text, "en", question="How far does the train go?") is None, text


@pytest.mark.parametrize(
    "words", ["therefore", "maybe", "because they", "we have to calculate the remaining amount"]
)
def test_plain_english_among_chinese_is_found(words: str):
    place = CHINESE.index("所以")
    assert slip(f"{CHINESE[:place]}{words}{CHINESE[place:]}", "zh", question="火车走多远？")


@pytest.mark.parametrize(
    "term", ["Python", "if", "loss", "state of the art", "（machine learning）", "GPT-4", "max", "km"]
)
def test_terms_among_chinese_are_nobodys_slip(term: str):
    place = CHINESE.index("所以")
    assert slip(f"{CHINESE[:place]}{term}{CHINESE[place:]}", "zh", question="火车走多远？") is None


@pytest.mark.parametrize("seed", range(3))
def test_a_text_that_the_column_clears_has_no_slip(seed: int):
    random = Random(seed)
    texts = []
    for _ in range(200):
        text = ENGLISH * random.randint(1, 3)
        for _ in range(random.randint(0, 2)):
            place = random.randrange(len(text))
            text = (
                text[:place]
                + random.choice((*WORDS, *SENTENCES, *NOT_MIXED, " und ", "é", "³"))
                + text[place:]
            )
        texts.append(text)
    may = may_mix(pl.Series(texts), ["en"] * len(texts))
    slips = [slip(text, "en") for text in texts]
    assert all(may[number] for number, found in enumerate(slips) if found)
    assert not all(may)
    assert sum(map(bool, slips)) > 50
