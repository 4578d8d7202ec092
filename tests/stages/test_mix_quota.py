from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError, DistilleryError
from distillery.records import LEDGER
from distillery.stages.base import Decision
from distillery.stages.mix_quota import MixQuota


@dataclass(frozen=True)
class Seeded:
    seed: int = 7


def rows_of(domain: str, count: int, *, source: str = "s", tokens: int = 10) -> list[dict]:
    return [
        {
            "trace_id": f"{domain}-{source}-{number}",
            "problem_id": f"{domain}-{number // 2}",
            "domain": domain,
            "source": source,
            "completion_tokens": tokens + number,
            "pass_rate": number / count,
        }
        for number in range(count)
    ]


def mix(rows: list[dict], *, seed: int = 7, parts: int = 1, **options: object) -> tuple[list[str], Decision]:
    stage = build(MixQuota, options, where="stages.mix")
    table = pl.DataFrame(rows)
    size = -(-table.height // parts)
    ctx = Seeded(seed)
    sketches = [stage.sketch(table[begin : begin + size], ctx) for begin in range(0, table.height, size)]
    decision = stage.decide(pl.concat(sketches), ctx)
    assert dict(decision.dropped.schema) == LEDGER
    assert decision.added is not None
    assert dict(decision.added.schema) == {"trace_id": pl.String(), **stage.writes}
    out = set(decision.dropped["key"])
    return sorted(row["trace_id"] for row in rows if row["trace_id"] not in out), decision


MATH_AND_CODE = [{"where": {"domain": "math"}, "rows": 6}, {"where": {"domain": ["code"]}, "rows": 3}]


def test_every_quota_is_filled_to_the_row():
    kept, decision = mix(rows_of("math", 20) + rows_of("code", 20), quotas=MATH_AND_CODE)
    assert Counter(key.split("-")[0] for key in kept) == {"math": 6, "code": 3}
    assert [(row["quota"], row["wanted"], row["got"]) for row in decision.facts["quotas"]] == [
        ("domain=math", 6, 6),
        ("domain=code", 3, 3),
    ]


def test_each_row_says_which_quota_it_filled():
    _, decision = mix(rows_of("math", 6) + rows_of("code", 3), quotas=MATH_AND_CODE)
    assert decision.added is not None
    assert decision.added.columns == ["trace_id", "quota"]
    assert set(decision.added["quota"]) == {"domain=math", "domain=code"}


def test_rows_that_no_quota_asks_for_are_told_from_rows_too_many():
    rows = rows_of("math", 8) + rows_of("code", 3) + rows_of("art", 2)
    _, decision = mix(rows, quotas=MATH_AND_CODE)
    assert Counter(decision.dropped["reason"]) == {"enough": 2, "no_quota": 2}


def test_the_mix_does_not_depend_on_row_order_or_shards_but_on_the_seed():
    rows = rows_of("math", 40) + rows_of("code", 40)
    first, _ = mix(rows, quotas=MATH_AND_CODE)
    assert mix(rows[::-1], quotas=MATH_AND_CODE, parts=9)[0] == first
    assert mix(rows, quotas=MATH_AND_CODE, seed=8)[0] != first


def test_a_row_goes_to_the_first_quota_it_matches():
    quotas = [
        {"name": "hard", "where": {"pass_rate": {"max": 0.25}}, "rows": 2},
        {"name": "rest", "rows": 4},
    ]
    kept, decision = mix(rows_of("math", 8), quotas=quotas, shortfall="take")
    assert decision.added is not None
    assert sorted(decision.added["quota"]) == ["hard"] * 3 + ["rest"] * 5
    assert len(kept) == 6


def test_shares_are_of_the_total_and_add_up_to_it():
    quotas = [{"where": {"domain": name}, "share": 1 / 3} for name in ("math", "code", "art")]
    rows = rows_of("math", 20) + rows_of("code", 20) + rows_of("art", 20)
    kept, _ = mix(rows, quotas=quotas, total=10)
    assert sorted(Counter(key.split("-")[0] for key in kept).values()) == [3, 3, 4]


def test_a_token_quota_is_met_within_one_row_and_never_overshot():
    _, decision = mix(rows_of("math", 50), quotas=[{"where": {"domain": "math"}, "tokens": 500}])
    (row,) = decision.facts["quotas"]
    assert 490 <= row["got"] <= 500
    assert row["got"] == row["tokens"]


def test_a_token_quota_without_enough_tokens_is_a_shortfall():
    with pytest.raises(DistilleryError, match="wanted 500 tokens, there are 33, missing 467"):
        mix(rows_of("math", 3, tokens=10)[:3][1:] + rows_of("code", 1), quotas=[{"tokens": 500}])


def test_a_shortfall_says_what_is_missing_and_what_would_fill_it():
    rows = rows_of("math", 4) + rows_of("code", 3)
    with pytest.raises(DistilleryError) as raised:
        mix(rows, quotas=MATH_AND_CODE, per_problem=1)
    message = str(raised.value)
    assert "2 of 2 quotas cannot be filled" in message
    assert "domain=math: wanted 6 rows, there are 2, missing 4" in message
    assert "raise per_problem (2 rows wait)" in message


def test_scaling_keeps_the_proportions():
    rows = rows_of("math", 4) + rows_of("code", 20)
    kept, _ = mix(rows, quotas=MATH_AND_CODE, shortfall="scale")
    assert Counter(key.split("-")[0] for key in kept) == {"math": 4, "code": 2}


def test_scaling_below_the_least_share_is_an_error_that_says_what_is_missing():
    rows = rows_of("math", 4) + rows_of("code", 20)
    with pytest.raises(
        DistilleryError, match=r"scaling leaves 0\.\d+ of the wanted size, and `least` is 0\.95"
    ) as caught:
        mix(rows, quotas=MATH_AND_CODE, shortfall="scale", least=0.95)
    assert "math: wanted" in str(caught.value)
    mix(rows, quotas=MATH_AND_CODE, shortfall="scale", least=0.1)


def test_scaling_to_nothing_is_an_error():
    with pytest.raises(DistilleryError, match="a quota has no rows at all"):
        mix(rows_of("math", 4), quotas=MATH_AND_CODE, shortfall="scale")


def test_taking_what_is_there_reports_what_was_wanted():
    kept, decision = mix(rows_of("math", 4), quotas=MATH_AND_CODE, shortfall="take")
    assert len(kept) == 4
    assert [row["got"] for row in decision.facts["quotas"]] == [4, 0]


def test_caps_hold_per_problem_and_per_source():
    rows = rows_of("math", 20, source="a") + rows_of("math", 20, source="b")
    kept, decision = mix(rows, quotas=[{"rows": 8}], per_problem=1, per_source=4)
    assert Counter(key.split("-")[1] for key in kept) == {"a": 4, "b": 4}
    assert {"per_source", "enough"} <= set(decision.dropped["reason"])
    problems = [row["problem_id"] for row in rows if row["trace_id"] in kept]
    assert len(set(problems)) == 8


def test_the_published_table_is_a_preset_that_scales_exactly():
    sizes = {"math": 3953, "code": 2111, "stem": 101, "logic": 104, "general": 1778}
    rows = [row for domain, size in sizes.items() for row in rows_of(domain, size + 5)]
    kept, decision = mix(rows, preset="r1-800k", scale=0.01)
    assert Counter(key.split("-")[0] for key in kept) == sizes
    assert len(kept) == round(804_745 * 0.01)
    assert [row["quota"] for row in decision.facts["quotas"]] == list(sizes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either quotas or a preset"),
        ({"preset": "r2"}, "unknown preset 'r2'; known: r1-800k"),
        ({"quotas": [{"where": {}}]}, "needs one of rows, tokens and share"),
        ({"quotas": [{"rows": 1, "share": 0.5}]}, "needs one of rows, tokens and share"),
        ({"quotas": [{"share": 0.5}]}, "total is missing"),
        ({"quotas": [{"rows": 5}], "total": 6}, "ask for 5 rows; total says 6"),
        ({"quotas": [{"rows": 5}, {"rows": 5}]}, "two quotas are called 'any'"),
    ],
)
def test_quotas_that_cannot_be_meant_are_refused(options: dict, message: str):
    with pytest.raises(ConfigError, match=message):
        build(MixQuota, options, where="stages.mix")


def test_it_reads_the_columns_its_quotas_ask_about():
    stage = build(
        MixQuota, {"quotas": [{"where": {"language": "zh"}, "tokens": 5}], "per_source": 3}, where="x"
    )
    assert stage.reads == ("trace_id", "language", "completion_tokens", "source")
