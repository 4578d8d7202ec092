from __future__ import annotations

import polars as pl
import pytest

from distillery.curate.agreement import agreement


def test_precision_recall_and_kappa_of_a_small_table():
    truth = pl.Series([True, True, True, False, False, False, False, False])
    verdict = pl.Series([True, True, False, True, False, False, False, None])
    found = agreement(truth, verdict)
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.accuracy == pytest.approx(6 / 8)
    assert found.kappa == pytest.approx((0.75 - 34 / 64) / (1 - 34 / 64))


def test_a_judge_that_says_yes_to_nothing_has_no_precision():
    found = agreement(pl.Series([True, False]), pl.Series([False, False]))
    assert (found.precision, found.recall, found.kappa) == (None, 0.0, 0.0)


def test_nothing_to_compare_is_not_a_number():
    empty = pl.Series([], dtype=pl.Boolean)
    assert agreement(empty, empty) == (None, None, None, None)
