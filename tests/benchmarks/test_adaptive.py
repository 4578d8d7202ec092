"""Tokens that adaptive sampling spends, against a fixed number n of samples of which k accepted ones are
kept.

Outcomes are replayed from tables: two of real ones, and a spread of pass rates that is written down here.
Nothing
is fitted to them but the spread itself, from which a table with few samples a problem is drawn on.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import comb, gamma, inf
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import pytest

from distillery.curate.adaptive_sampling import Adaptive

MOST = 160  # samples of a problem that a table can give
REPLAYED = 1000  # problems of a table, real ones several times over with new luck
FIXED = (4, 8, 16)
AIM = 0.5


class Draw(NamedTuple):
    right: bool
    length: int


@dataclass(frozen=True)
class Spread:
    """A Beta distribution of pass rates."""

    a: float
    b: float

    @classmethod
    def of(cls, problems: Sequence[Sequence[Draw]]) -> Spread:
        """By moments: how often a sample is right, and how often two samples of one problem both are."""
        counts = [(sum(draw.right for draw in draws), len(draws)) for draws in problems]
        one = fmean(right / n for right, n in counts)
        both = fmean(right * (right - 1) / (n * (n - 1)) for right, n in counts)
        size = 1 / ((both - one**2) / (one - one**2)) - 1
        return cls(one * size, (1 - one) * size)


@dataclass(frozen=True)
class Bill:
    """What a problem costs and brings, on the mean."""

    accepted: float
    covered: float  # share of problems with an accepted trace
    tokens: float
    rounds: float = 1.0

    def gives(self, other: Bill) -> bool:
        return self.accepted >= other.accepted - 1e-9 and self.covered >= other.covered - 1e-9

    @classmethod
    def mean(cls, bills: Sequence[Bill]) -> Bill:
        columns = zip(
            *((bill.accepted, bill.covered, bill.tokens, bill.rounds) for bill in bills), strict=True
        )
        return cls(*map(fmean, columns))


class Table(NamedTuple):
    name: str
    problems: list[list[Draw]]  # MOST draws each

    def fixed(self, n: int, *, keep: float) -> Bill:
        rights = [sum(draw.right for draw in draws[:n]) for draws in self.problems]
        tokens = fmean(sum(draw.length for draw in draws[:n]) for draws in self.problems)
        kept = fmean(min(keep, right) for right in rights)
        return Bill(kept, fmean(right > 0 for right in rights), tokens)

    def adaptive(self, policy: Adaptive, *, most: int) -> Bill:
        return Bill.mean([sample(policy, draws, most=most) for draws in self.problems])

    def fixed_that_gives(self, bill: Bill, *, keep: float) -> tuple[int, Bill] | None:
        """The cheapest n that brings as much; None: more than MOST would be needed."""
        for n in range(1, MOST + 1):
            found = self.fixed(n, keep=keep)
            if found.gives(bill):
                return n, found
        return None


def sample(policy: Adaptive, draws: Sequence[Draw], *, most: int) -> Bill:
    drawn = right = tokens = rounds = 0
    while wave := policy.more(drawn=drawn, judged=drawn, right=right, most=most):
        new = draws[drawn : drawn + wave]
        drawn, rounds = drawn + wave, rounds + 1
        right += sum(draw.right for draw in new)
        tokens += sum(draw.length for draw in new)
    return Bill(min(right, policy.accept or inf), float(right > 0), tokens, rounds)


def written_down() -> Table:
    """Many problems that are easy, many that are hopeless, half of all samples right, wrong ones half as long
    again."""
    luck = random.Random(5)
    rates = [luck.betavariate(0.4, 0.33) for _ in range(REPLAYED)]
    flips = [[luck.random() < rate for _ in range(MOST)] for rate in rates]
    return Table("U-shaped spread", [[Draw(flip, 1000 if flip else 1500) for flip in line] for line in flips])


def replayed(name: str, problems: Sequence[Sequence[Draw]]) -> Table:
    """More samples than a problem has: its rate is drawn from what its own leave open, lengths from its
    own."""
    luck, spread = random.Random(6), Spread.of(problems)
    every = {
        flag: [draw.length for draws in problems for draw in draws if draw.right is flag]
        for flag in (True, False)
    }
    lines: list[list[Draw]] = []
    for turn in range(REPLAYED):
        draws = problems[turn % len(problems)]
        right = sum(draw.right for draw in draws)
        rate = luck.betavariate(spread.a + right, spread.b + len(draws) - right)
        own = {
            flag: [draw.length for draw in draws if draw.right is flag] or every[flag]
            for flag in (True, False)
        }
        flips = [luck.random() < rate for _ in range(MOST)]
        lines.append([Draw(flip, luck.choice(own[flip])) for flip in flips])
    return Table(f"{name}, Beta({spread.a:.2f}, {spread.b:.2f})", lines)


def rows(file: Path) -> list[dict]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def mathematics(folder: Path) -> Table:
    """8 samples of one model for each of 97 problems of MATH."""
    found = rows(folder / "sampled_math_8_per_problem.jsonl.gz")
    return replayed(
        "MATH, 97 x 8",
        [
            [Draw(bool(c), len(t)) for c, t in zip(row["correct"], row["responses"], strict=True)]
            for row in found
        ],
    )


def tricks(folder: Path) -> Table:
    """22 to 29 long thoughts for each of 42 trick questions, three each of nine models, taken as one
    teacher."""
    problems: dict[str, list[Draw]] = {}
    for row in rows(folder / "traces_misguided_attention.jsonl.gz"):
        problems.setdefault(row["prompt_id"], []).append(Draw(row["rubric_score"] == 1, row["n_chars"]))
    return replayed("trick questions, 42 x 26", list(problems.values()))


def puzzles(folder: Path) -> Table:
    """About 8 answers for each of a thousand puzzles, two each of four models, taken as one teacher."""
    found = [row["responses"] for row in rows(folder / "logic_reasoning_gym_scored.jsonl.gz")]
    draws = [[Draw(one["score"] == 1, len(one["response"])) for one in row] for row in found]
    return replayed("reasoning gym, 1070 x 8", [row for row in draws if len(row) >= 6])


REAL = {"mathematics": mathematics, "tricks": tricks, "puzzles": puzzles}


@pytest.fixture(scope="module", params=["written down", *REAL])
def table(request) -> Table:
    read = REAL.get(request.param)
    return read(request.getfixturevalue("real_data")) if read else written_down()


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")


def test_the_same_traces_cost_fewer_tokens(table):
    """`samples` and `patience` at n: the very samples that a fixed n would keep, and fewer of the others."""
    say(f"\n\n{table.name}")
    say("keep  fixed n  accepted  covered  tokens: adaptive / fixed n  rounds")
    for keep, n in product((1, 2, 4, 8), FIXED):
        fixed = table.fixed(n, keep=keep)
        found = table.adaptive(Adaptive(accept=keep, patience=n), most=n)
        numbers = f"{fixed.accepted:8.2f}  {fixed.covered:7.1%}  {found.tokens / fixed.tokens:26.2f}"
        say(f"{keep:4}  {n:7}  {numbers}  {found.rounds:6.1f}")
        assert found.accepted == pytest.approx(fixed.accepted)
        assert found.covered == fixed.covered
        assert found.tokens <= fixed.tokens * (1 if keep < n else 1 + 1e-9)


def test_more_for_hard_problems_costs_half_of_more_for_all(table):
    """Against the smallest n, of all, that accepts and covers no less; default options, at most 64 samples.

    The defaults were chosen on the spread that is written down here.
    """
    say(f"\n\n{table.name}: at most 64 samples, other options as they come")
    say("accept  wave  accepted  covered  n that gives as much  tokens: adaptive / that n  rounds")
    for accept, wave in product((1, 2, 4, 8), (1, 2, 4)):
        found = table.adaptive(Adaptive(accept=accept, wave=wave), most=64)
        n, fixed = table.fixed_that_gives(found, keep=accept)
        numbers = f"{found.accepted:8.2f}  {found.covered:7.1%}  {n:20}  {found.tokens / fixed.tokens:25.2f}"
        say(f"{accept:6}  {wave:4}  {numbers}  {found.rounds:6.1f}")
        assert fixed.gives(found)
        assert found.tokens < (AIM if wave == 1 else 1) * fixed.tokens


def test_where_all_right_samples_are_kept_the_hopeless_ones_are_saved(table):
    """Then tokens bring traces at one price whatever n is, but for the problems that bring none."""
    say(f"\n\n{table.name}: all that is right is kept, at most 16 samples")
    say(
        "patience  accepted / fixed 16  covered / fixed 16  tokens / fixed 16  tokens an accepted trace / fixed 16"
    )
    fixed = table.fixed(16, keep=inf)
    for patience in (2, 4, 8):
        found = table.adaptive(Adaptive(accept=None, patience=patience), most=16)
        accepted, covered = found.accepted / fixed.accepted, found.covered / fixed.covered
        tokens = found.tokens / fixed.tokens
        say(f"{patience:8}  {accepted:19.2f}  {covered:18.2f}  {tokens:17.2f}  {tokens / accepted:36.2f}")
        assert tokens < accepted


def least(spread: Spread, *, keep: int, n: int, wrong: float) -> float:
    """Share of fixed n's tokens without which no policy that sees counts can accept and cover as much as it
    does.

    Lagrange's bound: with any price on an accepted trace and on a covered problem, what the best policy for
    these
    prices (by backward induction, up to 4 n samples) still gains is what the bound lacks.
    """
    ways = [comb(n, right) * beta(spread.a + right, spread.b + n - right) for right in range(n + 1)]
    chances = [way / beta(spread.a, spread.b) for way in ways]
    accepted, covered = sum(min(keep, r) * chance for r, chance in enumerate(chances)), 1 - chances[0]
    mean = spread.a / (spread.a + spread.b)
    tokens = n * (mean + (1 - mean) * wrong)

    def gain(price: float, first: float) -> float:
        later = [0.0] * (keep + 1)  # by right samples so far
        for drawn in range(4 * n - 1, -1, -1):
            for right in range(min(drawn + 1, keep)):
                p = (spread.a + right) / (spread.a + spread.b + drawn)
                won = price + (0 if right else first) - 1 + later[right + 1]
                later[right] = max(0.0, p * won + (1 - p) * (later[right] - wrong))
        return later[0]

    prices = [1.25**step for step in range(22)]
    return max(p * accepted + f * covered - gain(p, f) for p, f in product(prices, prices)) / tokens


def beta(a: float, b: float) -> float:
    return gamma(a) * gamma(b) / gamma(a + b)


def test_no_policy_that_sees_counts_could_do_much_better():
    say(
        "\n\nU-shaped spread: the least that any policy could spend for what a fixed n gives, and what this one spends"
    )
    say("keep  fixed n  any policy  this one")
    table = written_down()
    for keep, n in product((1, 2, 4), FIXED):
        bound = least(Spread(0.4, 0.33), keep=keep, n=n, wrong=1.5)
        found = table.adaptive(Adaptive(accept=keep, patience=n), most=n).tokens
        ratio = found / table.fixed(n, keep=keep).tokens
        say(f"{keep:4}  {n:7}  {bound:10.2f}  {ratio:8.2f}")
        assert bound - 0.05 < ratio < bound + 0.05
