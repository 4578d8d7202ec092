"""Verdicts a second on real answers with bombs among them, beside math-verify in a loop and in a pool of
processes.

The peers get no bombs, at which they hang, and every tenth row: their rates do not depend on how many there
are.
"""

from __future__ import annotations

import gzip
import json
import random
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from distillery.records import Outcome, Problem
from distillery.verify.pool.processes import close, judge

ROWS, BOMBS, PROCESSES = 20_000, 100, 2
SETS = {"math_gsm8k_train": 7473, "math_train_deepscaler": 7500, "eval_math_suite_en": 675}
FORMS = (
    "5^{5^{5^{5^{%d}}}}", "((((%d!)!)!)!)!", "\\sum_{k=1}^{10^{12}} \\frac{1}{k+%d}", "%d^{9999999}",
    "\\binom{1000000000}{%d00000}", "\\int_0^1 x^{x^{x^{x^%d}}} dx", "(x+%d)^{9999}-(x-1)^{9998}",
    "{" * 50_000 + "%d" + "}" * 50_000, "%d, " * 2 + "1, " * 300_000,
)  # fmt: skip


def real_rows(folder: Path) -> list[tuple[str, str]]:
    """Golds of GSM8K, MATH and OlympiadBench in their proportions; a third of the answers is another
    row's."""
    dice = random.Random(7)
    found: list[tuple[str, str]] = []
    for name, weight in SETS.items():
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            read = [json.loads(line) for line in lines]
        golds = [row["answer"] for row in read if row.get("benchmark", "olympiadbench") == "olympiadbench"]
        golds = [gold for gold in golds if gold]
        for _ in range(round((ROWS - BOMBS) * weight / sum(SETS.values()))):
            gold = dice.choice(golds)
            found.append((gold, dice.choice(golds) if dice.random() < 1 / 3 else gold))
    dice.shuffle(found)
    return found


def peer(row: tuple[str, str]) -> bool:
    from math_verify import parse, verify

    gold, answer = row
    return verify(parse(f"${gold}$"), parse(f"The answer is $\\boxed{{{answer}}}$."))


def test_verdicts_a_second_with_bombs_among_the_rows(real_data: Path):
    rows = real_rows(real_data)
    bombs = [
        (rows[n][0], FORMS[n % len(FORMS)] % ((n,) * FORMS[n % len(FORMS)].count("%d"))) for n in range(BOMBS)
    ]
    mixed = rows + bombs
    random.Random(1).shuffle(mixed)
    texts = [
        (Problem("q", gold, checker="math"), f"So\n</think>\nit is $\\boxed{{{answer}}}$.")
        for gold, answer in mixed
    ]
    sample = rows[::10]
    warm = [(Problem("q", f"{n}x+1", checker="math"), f"\\boxed{{1+{n}x}}") for n in range(2, 20)]
    judge(warm, deadline_s=60, workers=PROCESSES)
    peer(("x+1", "1+x"))
    begin = time.perf_counter()
    verdicts = judge(texts, workers=PROCESSES)
    ours = len(texts) / (time.perf_counter() - begin)
    close()
    begin = time.perf_counter()
    serial_verdicts = [peer(row) for row in sample]
    serial = len(sample) / (time.perf_counter() - begin)
    with ProcessPoolExecutor(PROCESSES) as pool:
        list(pool.map(peer, sample[:PROCESSES]))
        begin = time.perf_counter()
        list(pool.map(peer, sample, chunksize=20))
        naive = len(sample) / (time.perf_counter() - begin)
    outcomes = {outcome.value: sum(v.outcome is outcome for v in verdicts) for outcome in Outcome}
    print(
        f"\nverdicts a second on {PROCESSES} cores: distillery {ours:,.0f} with {BOMBS} bombs in {len(texts):,}, "
    )
    print(f"  math-verify in a loop {serial:,.0f} (ours {ours / serial:.1f} times that), in a pool {naive:,.0f} "
          f"({ours / naive:.1f} times)")  # fmt: skip
    print(f"  {outcomes}; math-verify accepts {sum(serial_verdicts)} of {len(sample)}")
    assert len(verdicts) == len(texts)
    scored = {
        verdict.score for verdict, (_, answer) in zip(verdicts, mixed, strict=True) if (_, answer) in bombs
    }
    assert 1.0 not in scored
    assert ours > serial
