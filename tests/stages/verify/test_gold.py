import json

import polars as pl

from distillery.config import build
from distillery.records import LEDGER
from distillery.stages import stage_class
from distillery.stages.base import ShardStage
from distillery.stages.verify.gold import VerifyGold


class Counts:
    seed = 0

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}

    def progress(self, **counts: float) -> None:
        for name, count in counts.items():
            self.seen[name] = self.seen.get(name, 0) + count


def run(rows: list[tuple[str, str, str]]) -> tuple[list[str], dict[str, str], dict[str, float]]:
    """Rows of (gold, checker, payload), named p0, p1, ...; gives kept names, dropped names with details,
    progress."""
    table = pl.DataFrame(
        [
            {"problem_id": f"p{n}", "question": "q", "gold": gold, "checker": checker, "payload": payload}
            for n, (gold, checker, payload) in enumerate(rows)
        ]
    )
    counts = Counts()
    output = VerifyGold().apply(table, counts)
    assert output.dropped.schema == pl.Schema(LEDGER)
    assert set(output.dropped["reason"]) <= {"no_gold"}
    assert output.kept.columns == table.columns
    return (
        output.kept["problem_id"].to_list(),
        dict(output.dropped.select("key", "detail").iter_rows()),
        counts.seen,
    )


def test_it_is_a_shard_stage_of_the_name_it_is_called_by():
    assert isinstance(build(stage_class("verify.gold"), {"deadline_s": 3}, where="s"), ShardStage)


def test_golds_that_can_be_judged_stay():
    tests = json.dumps({"style": "stdio", "tests": [{"input": "", "output": "1"}]})
    entry = {"answer": "94*4 - 61", "metadata": {"numbers": [94, 4, 61], "target": 315}}
    puzzle = json.dumps({"task": "countdown", "entry": entry})
    kept, dropped, counts = run(
        [
            ("18", "math", "{}"),
            ("x^2+1", "math", "{}"),
            ("No solution", "math", "{}"),
            ("4", "exact", ""),
            ("B", "choice", "{}"),
            ("", "program", tests),
            ("", "puzzle", puzzle),
            ("", "layout", "{}"),
        ]
    )
    assert dropped == {}
    assert len(kept) == 8
    assert counts == {"rows": 8, "accepted": 8}


def test_golds_that_cannot_be_judged_leave_with_the_cause():
    kept, dropped, counts = run(
        [
            ("18", "math", "{}"),
            ("", "math", "{}"),
            ("proof", "math", "{}"),
            ("notfound", "math", "{}"),
            ("(a) 3 (b) 4", "math", "{}"),
            ("\\div(", "math", "{}"),
            ("  ", "exact", "{}"),
            ("maybe", "choice", "{}"),
            ("", "program", "{}"),
            ("", "puzzle", "{}"),
            ("4", "guess", "{}"),
            ("4", "exact", "[]"),
            ("4", "language", "{}"),
        ]
    )
    assert kept == ["p0"]
    told = [
        "empty",
        "'proof'",
        "'notfound'",
        "multi_part",
        "cannot be read",
        "empty",
        "names no choice",
        "style",
        "task",
    ]
    for name, words in zip(
        sorted(dropped, key=lambda p: int(p[1:])), [*told, "'guess'", "JSON object", "language"], strict=True
    ):
        assert words in dropped[name]
    assert counts == {"rows": 13, "accepted": 1}


def test_an_empty_shard_is_fine():
    schema = {"problem_id": pl.String, "question": pl.String, "gold": pl.String, "checker": pl.String}
    output = VerifyGold().apply(pl.DataFrame(schema=schema), Counts())
    assert (output.kept.height, output.dropped.height) == (0, 0)
