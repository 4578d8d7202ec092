from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distillery.curate.mix import (
    PRESETS,
    Band,
    Drop,
    Quota,
    Row,
    Want,
    apportion,
    assigned,
    fill,
    shortfall,
    wants,
)


def test_the_published_table_adds_up():
    assert sum(quota.rows or 0 for quota in PRESETS["r1-800k"]) == 804_745


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 1e6), max_size=8))
def test_apportioned_amounts_add_up_and_stay_next_to_the_exact_ones(amounts: list[float]):
    whole = apportion(amounts)
    assert sum(whole) == round(sum(amounts))
    assert all(abs(count - amount) <= 1 for count, amount in zip(whole, amounts, strict=True))


def test_conditions_are_values_lists_and_bands_and_nulls_match_none():
    rows = pl.DataFrame({"domain": ["math", "code", None], "rate": [0.1, 0.9, None]})
    quotas = [
        Quota(where={"domain": "math", "rate": Band(max=0.5)}, rows=1),
        Quota(where={"domain": ["code", "art"]}, rows=1),
    ]
    assert assigned(rows, quotas).to_list() == [0, 1, None]
    assert assigned(rows, [Quota(where={"rate": Band(min=0.5)}, rows=1)]).to_list() == [None, 0, None]
    assert [quota.title for quota in quotas] == ["domain=math, rate=..0.5", "domain=code|art"]


def test_wants_keep_units_apart_when_they_are_rounded():
    quotas = [Quota(rows=10), Quota(tokens=1001), Quota(share=0.5)]
    assert wants(quotas, total=20, scale=0.5) == [Want("rows", 5), Want("tokens", 500), Want("rows", 5)]


def test_a_long_row_is_passed_over_for_one_that_fits():
    rows = [Row(0, "a", "s", 80), Row(0, "b", "s", 50), Row(0, "c", "s", 20)]
    filled = fill(rows, [Want("tokens", 100)])
    assert filled.reasons == [None, Drop.ENOUGH, None]
    assert shortfall(rows, [Want("tokens", 100)], filled) == {}
    assert shortfall(rows[:1], [Want("tokens", 100)], fill(rows[:1], [Want("tokens", 100)])) == {0: 20}


@pytest.mark.parametrize(
    ("cap", "reason"), [("per_problem", Drop.PER_PROBLEM), ("per_source", Drop.PER_SOURCE)]
)
def test_caps_say_which_they_are(cap: str, reason: Drop):
    rows = [Row(0, "a", "s", 1), Row(0, "a", "s", 1)]
    assert fill(rows, [Want("rows", 5)], **{cap: 1}).reasons == [None, reason]
