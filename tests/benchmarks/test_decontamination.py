"""Recall by kind, false hits and rows a second of decontamination, beside open-r1's published method on the
same rows.

That method: lower case, white space made one space, the set of all runs of 8 words of each benchmark; a row
that holds
any of them is contaminated. It runs in a Python loop over the rows, once for each benchmark.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import polars as pl

from distillery.curate.contamination.overlap import Limits, index, matches

ROWS, PLANTED = 60_000, 400
LIMIT_FALSE, LEAST = 0.001, {"verbatim": 0.99, "reworded": 0.9, "short": 0.99}
SYLLABLES = [
    "ba",
    "ce",
    "di",
    "fo",
    "gu",
    "ha",
    "je",
    "ki",
    "lo",
    "mu",
    "na",
    "pe",
    "ri",
    "so",
    "tu",
    "va",
    "we",
    "xi",
    "yo",
    "za",
]
VOCABULARY = [a + b + c for a in SYLLABLES for b in SYLLABLES[::2] for c in SYLLABLES[::3]]
LITTLE = [
    "the",
    "a",
    "of",
    "in",
    "and",
    "to",
    "is",
    "for",
    "with",
    "on",
    "that",
    "by",
    "from",
    "each",
    "gives",
    "then",
    "more",
    "also",
    "has",
    "at",
]
ENDS = ("how many {} are left?", "what is the total of {}?", "find the largest {}.", "compute the {} of {}.")
SHORT = (
    "What is the remainder of {a} divided by {b}?", "Simplify $\\sqrt{{{a}}}$.", "Write $\\frac{{{a}}}{{{b}}}$ as a decimal.",
    "Who opened the {t} of {u} Street?", "小明有{a}个苹果和{b}个梨", "How many {t} fit in {a} {u}?",
)  # fmt: skip
WORDS = {
    "find": "determine", "how many": "what number of", "each": "every", "gives": "hands", "then": "afterwards",
    "more": "further", "such that": "so that", "compute": "calculate", "what is": "find", "buys": "purchases",
    "let": "suppose", "given": "provided", "largest": "greatest", "smallest": "least", "also": "too",
}  # fmt: skip
FRAMES = (
    "Solve the following problem step by step. {}",
    "Question: {}\nAnswer:",
    "{}\n\nPlease reason step by step, and put your final answer within \\boxed{{}}.",
)


def word(dice: random.Random) -> str:
    """Few words are frequent, as in a language."""
    return VOCABULARY[int(len(VOCABULARY) * dice.random() ** 3)]


def story(dice: random.Random) -> str:
    """A problem of three to six sentences with a question at its end; words and numbers are drawn."""
    lines: list[str] = []
    for _ in range(dice.randrange(2, 6)):
        told = [
            word(dice) if dice.random() < 0.6 else dice.choice(LITTLE) for _ in range(dice.randrange(6, 15))
        ]
        told.insert(dice.randrange(2, len(told)), str(dice.randrange(2, 900)))
        lines.append(f"{' '.join(told).capitalize()}.")
    return " ".join([*lines, dice.choice(ENDS).format(word(dice), word(dice)).capitalize()])


def short(dice: random.Random) -> str:
    return dice.choice(SHORT).format(
        a=dice.randrange(100, 10_000), b=dice.randrange(11, 99), t=word(dice), u=word(dice)
    )


def read(file: Path, column: str = "question") -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line)[column] for line in lines]


def benchmarks() -> dict[str, list[str]]:
    dice = random.Random(11)
    made = {"stories": [story(dice) for _ in range(2_000)]}
    made["short"] = list(dict.fromkeys(short(dice) for _ in range(800)))
    return made


def real_benchmarks(folder: Path) -> dict[str, list[str]]:
    """What is there of the default list."""
    names = (
        "eval_aime24_aime25_amc23", "math_math500_a", "math_gsm8k_test_a", "eval_math_suite_en", "eval_mmlu_test",
        "eval_mmlu_pro_test", "eval_ceval_cmmlu",
    )  # fmt: skip
    known = {name: [text for text in read(folder / f"{name}.jsonl.gz") if text] for name in names}
    return {
        **known,
        "mbpp": read(folder / "code_mbpp_974.jsonl.gz", "text"),
        "humaneval": read(folder / "code_humaneval_plus_104.jsonl.gz", "prompt"),
    }


def spelt(text: str, dice: random.Random) -> str:
    """The same text in another spelling, or in a frame."""
    ways: tuple[Callable[[str], str], ...] = (
        str,
        lambda t: re.sub(r"\$([^$]+)\$", r"\\( \1 \\)", t).replace("\\frac", "\\dfrac"),
        lambda t: t if "\\" in t else t.upper().replace(" ", "  "),
        lambda t: "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in t),
        lambda t: dice.choice(FRAMES).format(t),
    )
    return dice.choice(ways)(text)


def reworded(text: str, dice: random.Random) -> str:
    """Some words for others, here and there a word more or less."""
    for old, new in WORDS.items():
        text = re.sub(rf"\b{old}\b", new, text, flags=re.IGNORECASE) if dice.random() < 0.4 else text
    words = text.split(" ")
    for _ in range(max(1, len(words) // 25)):
        words.insert(dice.randrange(1, len(words) + 1), dice.choice(("now", "exactly", "simply", "in total")))
    return " ".join(word for word in words if re.search(r"[\\$\d]", word) or dice.random() > 0.04)


def renumbered(text: str, dice: random.Random) -> str:
    return re.sub(r"\d+", lambda found: str(int(found[0][:9]) + dice.randrange(2, 9)), text)


def planted(questions: list[str]) -> dict[str, list[str]]:
    dice = random.Random(5)
    long = [text for text in questions if len(text.split()) >= 12 and re.search(r"\d", text)]
    brief = [text for text in questions if 4 <= len(text.split()) < 9 and text.rstrip().endswith(("?", "."))]
    some, few = (dice.sample(texts, min(PLANTED, len(texts))) for texts in (long, brief))
    return {
        "verbatim": [spelt(text, dice) for text in some],
        "reworded": [reworded(text, dice) for text in some],
        "numbers changed": [renumbered(text, dice) for text in some],
        "short": [spelt(text, dice) for text in few],
    }


def peer(rows: list[str], known: dict[str, list[str]], size: int = 8) -> set[int]:
    """open-r1's method; numbers of the rows that it removes."""

    def runs(text: str) -> list[str]:
        words = " ".join(text.lower().strip().split()).split()
        return [" ".join(words[start : start + size]) for start in range(len(words) - size + 1)]

    found: set[int] = set()
    for texts in known.values():
        lookup: dict[str, set[int]] = defaultdict(set)
        for number, text in enumerate(texts):
            for run in runs(text):
                lookup[run].add(number)
        for number, row in enumerate(rows):
            known_runs = {run in lookup for run in set(runs(row))}  # all of them, as there
            if any(known_runs):
                found.add(number)
    return found


def measure(title: str, known: dict[str, list[str]], clean: list[str]) -> dict[str, float]:
    """Prints the figures and returns ours: recall by kind, "false hits" of the clean rows, "seconds",
    "peer"."""
    questions = [text for texts in known.values() for text in texts]
    plants = planted(questions)
    rows = [*clean, *(text for texts in plants.values() for text in texts)]
    begin = time.perf_counter()
    found = matches(pl.Series(rows), index(questions, Limits()))
    ours = time.perf_counter() - begin
    begin = time.perf_counter()
    theirs = peer(rows, known)
    other = time.perf_counter() - begin
    kinds = dict(found.select("row", "kind").iter_rows())
    print(f"\n{title}: {len(rows):,} rows against {len(questions):,} questions; rows a second: distillery "
          f"{len(rows) / ours:,.0f}, open-r1's method {len(rows) / other:,.0f}")  # fmt: skip
    figures = {"seconds": ours, "peer": other}
    start = len(clean)
    for kind, texts in plants.items():
        span = range(start, start + len(texts))
        figures[kind] = sum(row in kinds for row in span) / len(texts)
        peers = sum(row in theirs for row in span) / len(texts)
        print(f"  {kind:<15} found: distillery {figures[kind]:.3f}, open-r1's method {peers:.3f}")
        start += len(texts)
    apart = [kinds.get(len(clean) + 2 * len(plants["verbatim"]) + n) for n in range(len(plants["verbatim"]))]
    figures["apart"] = apart.count("numbers_changed") / len(apart)
    figures["false hits"] = sum(row in kinds for row in range(len(clean))) / len(clean)
    peers = sum(row < len(clean) for row in theirs) / len(clean)
    print(f"  told apart as numbers_changed {figures['apart']:.3f}; false hits: distillery "
          f"{figures['false hits']:.5f}, open-r1's method {peers:.5f} of {len(clean):,} clean rows")  # fmt: skip
    return figures


def test_planted_questions_are_found_and_clean_rows_left_alone():
    dice = random.Random(23)
    clean = [story(dice) for _ in range(ROWS)]
    figures = measure("made texts", benchmarks(), clean)
    assert all(figures[kind] >= least for kind, least in LEAST.items())
    assert figures["false hits"] < LIMIT_FALSE
    assert figures["apart"] > 0.9


def test_real_benchmarks_are_found_in_real_training_sets(real_data: Path):
    files = {
        "math_gsm8k_train": "question", "qa_nq_open_dev": "question", "qa_chinese_simpleqa_3000": "question",
        "traces_star1_safety": "question", "lang_id_sentences_45": "text", "general_translation_en_zh": "en",
        "logic_knights_knaves_train": "question", "code_leetcode_train": "query", "general_alpaca_zh_4000": "instruction",
    }  # fmt: skip
    read_in = (read(real_data / f"{name}.jsonl.gz", column) for name, column in files.items())
    clean = [text for texts in read_in for text in dict.fromkeys(texts)]
    figures = measure("real texts", real_benchmarks(real_data), clean)
    assert figures["verbatim"] >= LEAST["verbatim"]
    assert figures["reworded"] >= LEAST["reworded"]
    assert figures["false hits"] < LIMIT_FALSE
