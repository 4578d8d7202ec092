"""The published table at any scale, with faults planted whose number and kind are known.

804,745 rows at the counts and mean lengths of DeepSeek-R1's supervised set (arXiv 2501.12948v2, table 5). The
words come
from a first-order chain over texts that are there. Everything follows from the seed, whatever the number of
rows a file.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import polars as pl

from distillery.curate.copies import telling
from distillery.hashing import derive_seed
from distillery.installed.word_lists import word_lists

ROOT = Path(__file__).parents[2]
BLOCK = 2_000  # rows drawn with one seed
TOKEN = 4.3  # characters
SENTENCES = 160_000  # of 6 to 30 words: 20 MB, far more than a compressor looks back
_KNOWN = word_lists(telling.__file__)
ASKING = set(_KNOWN["asking"])
LISTED = {*_KNOWN["negations"], *_KNOWN["numbers"], *chain(*chain(*_KNOWN["opposites"]))}
JACCARDS = (0.95, 0.92, 0.88, 0.86, 0.82, 0.75, 0.6)
NEAR, FAULTY, CONTAMINATED = 0.02, 0.01, 500
BENCH, SHORT_BENCH = 3_000, 200


@dataclass(frozen=True)
class Domain:
    name: str
    rows: int
    tokens: float  # mean of a row
    samples: int  # of a problem
    checker: str


DOMAINS = (
    Domain("math", 395_285, 6_094.2, 2, "math"),
    Domain("code", 211_129, 7_435.7, 2, "program"),
    Domain("stem", 10_124, 4_928.8, 1, "math"),
    Domain("logic", 10_395, 2_739.0, 1, "exact"),
    Domain("general", 177_812, 1_419.8, 1, "layout"),
)


class Chain:
    """Word after word as in `texts`; a word without a successor is followed by any."""

    def __init__(self, texts: Sequence[str]) -> None:
        words = " ".join(texts).split()
        self.words, codes = np.unique(np.array(words, dtype=object), return_inverse=True)
        before, after = codes[:-1], codes[1:]
        order = np.argsort(before, kind="stable")
        self._after = after[order]
        self._counts = np.bincount(before, minlength=len(self.words))
        self._starts = np.concatenate([[0], np.cumsum(self._counts)])[:-1]
        self._all = codes

    def grow(self, rng: np.random.Generator, lengths: np.ndarray) -> list[str]:
        """A text of so many words each."""
        most = int(lengths.max())
        out = np.empty((len(lengths), most), np.int64)
        out[:, 0] = rng.choice(self._all, len(lengths))
        for place in range(1, most):
            now = out[:, place - 1]
            counts = self._counts[now]
            step = self._starts[now] + (rng.random(len(now)) * counts).astype(np.int64)
            out[:, place] = np.where(
                counts > 0, self._after[np.minimum(step, len(self._after) - 1)], self._all[0]
            )
        words = self.words[out]
        return [" ".join(row[:length]) for row, length in zip(words, lengths, strict=True)]


def sources(data: Path | None) -> tuple[list[str], list[str]]:
    """Thoughts and questions to learn the words from: real ones where they are, else the repository's
    seeds."""
    questions = [
        json.loads(line)["question"]
        for name in ("grade_school", "general")
        for line in (ROOT / "data" / "seeds" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    thoughts = list(questions)
    if data is not None and (data / "math_gsm8k_train.jsonl.gz").exists():
        questions = [row["question"] for row in _rows(data / "math_gsm8k_train.jsonl.gz")]
        thoughts = [row["reasoning"] or "" for row in _rows(data / "traces_math500_a.jsonl.gz")]
    clean = re.compile(r"\\boxed\{[^}]*\}|```|</?think>|<\|[^|]*\|>|[^\x00-\x7f]")
    return [clean.sub("", text) for text in thoughts], [clean.sub("", text) for text in questions]


def _rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@dataclass(frozen=True)
class Problems:
    table: pl.DataFrame  # domain, checker, tokens, samples, question, gold, plant, of, jaccard
    bench: pl.DataFrame  # question


def trigrams(text: str) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[at : at + 3]) for at in range(len(words) - 2)}


def jaccard(one: str, two: str) -> float:
    left, right = trigrams(one), trigrams(two)
    return len(left & right) / len(left | right)


def reworded(text: str, rng: np.random.Generator, words: np.ndarray, share: float) -> str:
    """Every so many words another one, evenly spread."""
    own = text.split()
    count = max(1, round(share * len(own)))
    for place in np.linspace(2, len(own) - 3, count).astype(int) if len(own) > 6 else [0]:
        own[place] = f"{words[rng.integers(len(words))]}x"
    return " ".join(own)


def copy_at(text: str, wanted: float, rng: np.random.Generator, words: np.ndarray) -> str:
    """A copy whose 3-grams overlap with the text's by about `wanted`. Each changed word costs three; where no more
    may be changed, a sentence before the text costs half of one for each of its words."""
    grams = len(text.split()) - 2
    lost = round(grams * (1 - wanted) / (1 + wanted))
    own = text.split()
    places = rng.permutation(_plain(own)).tolist()[: lost // 3]
    strange = [f"{word}x" for word in words[rng.integers(len(words), size=6 * lost + 1)] if word.isalpha()]
    for place, word in zip(places, strange, strict=False):
        own[place] = word
    before = strange[len(places) :][: 2 * (lost - 3 * len(places))]
    return " ".join([*before[:-1], *(f"{word}." for word in before[-1:]), *own])


def _plain(own: Sequence[str]) -> list[int]:
    """Where another word leaves the problem what it is: no number or name, no opposite, not in what is asked."""
    bare = [word.lower().strip(".,;:?!'\"") for word in own]
    ends = [place + 1 for place, word in enumerate(own) if word[-1] in ".?:;"]
    sentences = [range(*ends) for ends in pairwise(sorted({0, *ends, len(own)}))]
    asking = [
        one for one in sentences if {*bare[one.start : one.stop]} & ASKING or own[one.stop - 1].endswith("?")
    ]
    asked = {place for one in asking or sentences[-1:] for place in one}
    return [
        place
        for place, word in enumerate(own)
        if word.isalpha() and len(word) > 1 and place not in asked and bare[place] not in LISTED
    ]


def other_numbers(text: str, rng: np.random.Generator) -> str:
    return re.sub(r"\d+", lambda found: str(int(found[0]) + int(rng.integers(1, 90))), text)


def problems(chain: Chain, *, scale: float, seed: int) -> Problems:
    rng = np.random.default_rng(derive_seed(seed, "problems"))
    bench = chain.grow(rng, rng.integers(25, 70, BENCH))
    bench = [f"{text} {rng.integers(10, 99)} and {rng.integers(100, 999)}" for text in bench]
    pairs = rng.integers(100, 999, (SHORT_BENCH, 2))
    short = [f"What is {a} times {b}?" for a, b in dict.fromkeys(map(tuple, pairs.tolist()))]
    parts = []
    for domain in DOMAINS:
        count = round(domain.rows * scale / domain.samples)
        texts = chain.grow(rng, rng.integers(25, 90, count))
        parts.append(
            pl.DataFrame(
                {
                    "domain": [domain.name] * count,
                    "checker": [domain.checker] * count,
                    "tokens": [domain.tokens] * count,
                    "samples": [domain.samples] * count,
                    "question": texts,
                }
            )
        )
    table = pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=seed)
    questions, plant = table["question"].to_list(), [""] * table.height
    of, measured = [""] * table.height, [0.0] * table.height
    places = rng.permutation(table.height)
    copies, rest = np.split(places, [round(NEAR * table.height)])
    bad = min(CONTAMINATED, round(NEAR * table.height))
    originals = rest[bad:]
    golds = rng.integers(0, 999, table.height)
    for number, place in enumerate(copies):
        origin = questions[originals[number % len(originals)]]
        golds[place] = golds[originals[number % len(originals)]]
        questions[place] = copy_at(origin, JACCARDS[number % len(JACCARDS)], rng, chain.words)
        plant[place], of[place], measured[place] = "near", origin, jaccard(origin, questions[place])
    for number, place in enumerate(rest[:bad]):
        kind = ("verbatim", "verbatim", "reworded", "numbers", "short")[number % 5]
        origin = short[number % len(short)] if kind == "short" else bench[number % BENCH]
        questions[place] = {
            "verbatim": lambda o: f"  {o.upper()}",
            "short": lambda o: o.replace("?", " ?"),
            "reworded": lambda o: reworded(o, rng, chain.words, 0.08),
            "numbers": lambda o: other_numbers(o, rng),
        }[kind](origin)
        plant[place], of[place] = kind, origin
    planted = table.with_columns(
        question=pl.Series(questions),
        plant=pl.Series(plant),
        of=pl.Series(of),
        jaccard=pl.Series(measured),
        gold=pl.Series(golds).cast(pl.String),
    )
    return Problems(planted, pl.DataFrame({"question": [*bench, *short]}))


FAULTS = {
    "unclosed": lambda thought, answer: (f"<think>\n{thought}", "length"),
    "loop": lambda thought, answer: (
        f"<think>\n{thought[:400]}\n{'So we check it once more. ' * 400}\n</think>\n{answer}",
        "stop",
    ),
    "mixed": lambda thought, answer: (
        f"<think>\n{thought}\n{'我们先把这个方程两边同时乘以二，然后再看看余下的部分是否仍然成立。' * 40}\n</think>\n{answer}",
        "stop",
    ),
    "token": lambda thought, answer: (f"<think>\n{thought} <|im_end|>\n</think>\n{answer}", "stop"),
    "empty": lambda thought, answer: ("<think>\n\n</think>\n" + answer, "stop"),
    "no_answer": lambda thought, answer: (f"<think>\n{thought}\n</think>\n", "stop"),
}


def rows(known: Problems, pool: np.ndarray, *, seed: int) -> Iterator[pl.DataFrame]:
    """Blocks of at most BLOCK rows: the samples of problem after problem."""
    spread = known.table.select(pl.all().repeat_by("samples")).explode(pl.all())
    size = float(np.mean([len(sentence) for sentence in pool])) + 1
    for block, begin in enumerate(range(0, spread.height, BLOCK)):
        part = spread.slice(begin, BLOCK)
        rng = np.random.default_rng(derive_seed(seed, "rows", str(block)))
        wanted = (
            np.minimum(part["tokens"].to_numpy() * rng.lognormal(-0.18, 0.6, part.height), 32_000) * TOKEN
        )
        counts = np.maximum(3, wanted / size).astype(np.int64)
        drawn = np.split(pool[rng.integers(0, len(pool), int(counts.sum()))], np.cumsum(counts)[:-1])
        kinds = [*FAULTS] if part.height else []
        faulty = rng.random(part.height) < FAULTY
        texts, finishes, faults = [], [], []
        for at, (sentences, gold) in enumerate(zip(drawn, part["gold"], strict=True)):
            thought = "\n\n".join(" ".join(sentences[low : low + 6]) for low in range(0, len(sentences), 6))
            answer = f"The answer is \\boxed{{{gold}}}."
            kind = kinds[(begin + at) % len(kinds)] if faulty[at] else ""
            text, finish = (
                FAULTS[kind](thought, answer) if kind else (f"<think>\n{thought}\n</think>\n{answer}", "stop")
            )
            texts.append(text)
            finishes.append(finish)
            faults.append(kind)
        yield part.select("question", "gold", "checker", "domain", "plant", "of", "jaccard").with_columns(
            pl.Series("text", texts),
            pl.Series("finish", finishes),
            pl.Series("fault", faults),
            source=pl.lit("markov"),
            language=pl.lit("en"),
            model=pl.lit("chain@1"),
        )


def make(
    out: Path, *, scale: float, rows_per_file: int = 4_000, seed: int = 0, data: Path | None = None
) -> None:
    """Writes set-*.parquet (what goes in), bench.jsonl and planted.parquet (what is known of it) to `out`."""
    out.mkdir(parents=True, exist_ok=True)
    thoughts, questions = sources(data)
    rng = np.random.default_rng(derive_seed(seed, "pool"))
    pool = np.array(Chain(thoughts).grow(rng, rng.integers(6, 30, SENTENCES)), dtype=object)
    known = problems(Chain(questions), scale=scale, seed=seed)
    known.bench.write_ndjson(out / "bench.jsonl")
    held: list[pl.DataFrame] = []
    secrets: list[pl.DataFrame] = []
    number = 0
    for block in rows(known, pool, seed=seed):
        secrets.append(
            block.select(
                "question", "plant", "of", "jaccard", "fault", pl.col("text").str.len_bytes().alias("bytes")
            )
        )
        held.append(block.drop("plant", "of", "jaccard", "fault"))
        while sum(table.height for table in held) >= rows_per_file:
            whole = pl.concat(held)
            whole.head(rows_per_file).write_parquet(out / f"set-{number:05d}.parquet", compression_level=1)
            held, number = [whole.slice(rows_per_file)], number + 1
    if held and (rest := pl.concat(held)).height:
        rest.write_parquet(out / f"set-{number:05d}.parquet", compression_level=1)
    pl.concat(secrets).write_parquet(out / "planted.parquet")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--scale", type=float, default=0.05)
    parser.add_argument("--rows-per-file", type=int, default=4_000)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    make(arguments.out, scale=arguments.scale, rows_per_file=arguments.rows_per_file, data=arguments.data)
