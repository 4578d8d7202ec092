from __future__ import annotations

from itertools import combinations

import polars as pl
import pytest

from distillery.curate.difficulty import majority, mean_over, pass_at_k, pass_rates


def test_pass_rates_leave_out_what_was_not_judged():
    samples = pl.DataFrame({"problem_id": ["a", "a", "a", "b"], "correct": [True, False, None, None]})
    assert pass_rates(samples).rows() == [("a", 3, 2, 1, 0.5), ("b", 1, 0, 0, None)]


@pytest.mark.parametrize(("samples", "right", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 2), (4, 4, 4), (8, 3, 6)])
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(samples: int, right: int, k: int):
    draws = list(combinations([True] * right + [False] * (samples - right), k))
    assert pass_at_k(samples, right, k=k) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_pass_at_more_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="pass@5 cannot be told from 4 samples"):
        pass_at_k(4, 2, k=5)


def test_one_value_has_no_error_bar():
    assert mean_over([0.5]) == (0.5, None)
    assert mean_over([0.0, 1.0]).stderr == pytest.approx(0.5)


def test_majority_breaks_ties_at_random():
    assert majority([("4", True), ("5", False)]) == 0.5
    assert majority([("4", True), ("4.0", True), ("5", False), ("5", False), ("6", False)]) == 0.5
    assert majority([("5", False)]) == 0.0
