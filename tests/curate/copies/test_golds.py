from __future__ import annotations

import polars as pl
import pytest

from distillery.curate.copies.golds import Golds, short


def alike(one: str, other: str, checkers: tuple[str, str] = ("math", "math")) -> bool:
    golds = short(pl.Series([one, other]), pl.Series(checkers)).to_list()
    columns = {"of": [0], "place": [1]}
    for name, gold, checker in zip(("gold", "gold_right"), golds, checkers, strict=True):
        columns[name] = [{"gold": gold, "checker": checker}]
    return Golds(pl.DataFrame(columns)).alike(1, 0)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0.5", r"\frac{1}{2}"),
        ("1,000", "1000"),
        (r"$\boxed{12}$", "12"),
        ("12", "12 cm"),
        ("x^2+1", "1+x^2"),
        ("5", ""),
        ("5", "not found"),
        ("We add and add. " * 60 + "The final answer is 7.", "7"),
        ("Paris", " paris "),
    ],
)
def test_golds_that_are_one_answer_or_none_do_not_differ(one: str, other: str):
    assert alike(one, other)
    assert alike(other, one)


@pytest.mark.parametrize(
    ("one", "other", "checker"),
    [
        ("4", "20", "math"),
        ("x^2+1", "x^2-1", "math"),
        (r"\frac{1}{2}", "2", ""),
        ("3", "4", "exact"),
        ("0.5", "1/2", "exact"),
        ("A", "B", "choice"),
        ("print(1)", "print(2)", "program"),
        ("1 2 3", "1 2 4", "puzzle"),
        ("yes", "no", "mine:checker"),
    ],
)
def test_golds_that_are_two_answers_differ(one: str, other: str, checker: str):
    assert not alike(one, other, (checker, checker))
    assert alike(one, one, (checker, checker))


def test_a_gold_that_its_checker_does_not_read_differs_from_none():
    assert alike("a reply", "another reply", ("layout", "layout"))


def test_golds_of_two_checkers_are_compared_by_the_one_that_computes():
    assert alike("0.5", "1/2", ("exact", "math"))
    assert alike("0.5", "1/2", ("", ""))
    assert not alike("0.5", "1/2", ("math", "program"))


def test_long_golds_are_kept_by_what_they_state_or_by_their_digest():
    solution, program = "We add and add. " * 60 + "The final answer is 7.", "x = 1\n" * 100
    kept = short(pl.Series([solution, program, None, " 5 "]), pl.Series(["math", "program", "", ""]))
    assert kept.to_list()[0] == "7"
    assert len(kept[1]) < 100
    assert kept.to_list()[2:] == ["", "5"]
