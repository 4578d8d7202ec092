from __future__ import annotations

import polars as pl
import pytest

from distillery.judging.trust import agreement, length_bias, order_bias, place_bias


def values(found):
    return {name: measure.value for name, measure in found.items()}


def test_precision_recall_f1_and_kappa_of_a_small_table():
    truth = pl.Series([True, True, True, False, False, False, False, False])
    verdict = pl.Series([True, True, False, True, False, False, False, None])
    found = agreement(truth, verdict)
    assert values(found) == {
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(2 / 3),
        "accuracy": pytest.approx(6 / 8),
        "kappa": pytest.approx((0.75 - 34 / 64) / (1 - 34 / 64)),
    }
    assert found["precision"].of == 3
    assert found["accuracy"].stderr == pytest.approx((0.75 * 0.25 / 8) ** 0.5)


def test_a_judge_that_says_yes_to_nothing_has_no_precision():
    found = values(agreement(pl.Series([True, False]), pl.Series([False, False])))
    assert (found["precision"], found["recall"], found["f1"], found["kappa"]) == (None, 0.0, 0.0, 0.0)


def test_nothing_to_compare_is_not_a_number():
    empty = pl.Series([], dtype=pl.Boolean)
    assert set(values(agreement(empty, empty)).values()) == {None}


def test_a_judge_that_likes_length_accepts_the_longest_wrong_answers():
    rows = pl.DataFrame(
        {
            "right": [False] * 6 + [True],
            "accepted": [False, False, False, True, True, True, True],
            "length": [1, 2, 3, 4, 5, 6, 7],
        }
    )
    found = values(length_bias(rows))
    assert (found["wrong_short"], found["wrong_middle"], found["wrong_long"]) == (0.0, 0.5, 1.0)
    assert found["wrong_by_length"] == 1.0
    assert (found["right_short"], found["right_long"], found["right_by_length"]) == (1.0, None, None)


def test_lengths_that_are_equal_or_unknown_sway_nothing():
    rows = pl.DataFrame({"right": [False] * 3, "accepted": [True] * 3, "length": [5, 5, None]})
    assert values(length_bias(rows))["wrong_by_length"] is None


def test_flips_and_first_wins_are_counted_over_pairs_and_decided_votes():
    votes = pl.DataFrame(
        {
            "pair": ["steady", "steady", "flips", "flips", "half", "half"],
            "first": [True, False, True, False, True, False],
            "score": [2, 1, 1, -1, 0, None],
        }
    )
    found = order_bias(votes)
    assert values(found) == {
        "pair_flips": 0.5,
        "pair_first_wins": 0.75,
        "pair_unclear": pytest.approx(1 / 6),
    }
    assert (found["pair_flips"].of, found["pair_first_wins"].of) == (2, 4)


def test_the_first_place_is_compared_with_chance():
    votes = pl.DataFrame(
        {
            "place": [1, 2, 3, 4, 1, 2, 1, 2],
            "of": [4, 4, 4, 4, 2, 2, 2, 2],
            "chosen": [True, False, False, False, False, True, None, None],
        }
    )
    assert values(place_bias(votes)) == {
        "best_first_wins": 0.5,
        "best_first_by_chance": 0.375,
        "best_unclear": pytest.approx(1 / 3),
    }
