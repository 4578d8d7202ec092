"""Multiple choice as sets of the field have it: what is asked, and which letter is right."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distillery.errors import ConfigError
from distillery.records import Outcome, Problem
from distillery.stages.ingest.mapping.choices import GoldIs
from distillery.stages.ingest.mapping.columns_seen import UntoldGoldError
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.problem_rows import shards
from distillery.verify import get_checker

ASKED = "Which?\n\n(A) red\n(B) blue\n(C) green"


def problems(rows: Iterable[Any], **options: Any) -> list[Problem]:
    """Of rows that all become one."""
    numbered = ((str(number), row) for number, row in enumerate(rows))
    (output,) = shards(numbered, RowMap("here", **options), shard_rows=1000)
    assert output.dropped.is_empty(), output.dropped.rows()
    return [Problem.from_row(row) for row in output.kept.to_dicts()]


def faults(row: Any, **options: Any) -> str:
    (output,) = shards([("1", row)], RowMap("here", **options), shard_rows=1000)
    return output.dropped["detail"][0]


@pytest.mark.parametrize(
    "row",
    [
        {"choices": ["red", "blue", "green"], "gold": "B"},
        {"choices": ["red", "blue", "green"], "gold": "(b)"},
        {"choices": ["red", "blue", "green"], "gold": "B. blue"},
        {"choices": ["red", "blue", "green"], "gold": "blue"},
        {"choices": ["red", "blue", "green", None, ""], "gold": ["B"]},
        {"choices": ["A. red", "B. blue", "C. green"], "gold": "B"},
        {"choices": '["red", "blue", "green"]', "gold": "B"},
        {"choices": "A) red B) blue C) green", "gold": "B"},
        {"choices": " A) red\nB) blue\nC) green", "gold": "B"},
        {"choices": "(A) red (B) blue (C) green", "gold": "B"},
        {"choices": {"text": ["red", "blue", "green"], "label": ["1", "2", "3"]}, "gold": "2"},
        {"choices": {"label": ["A", "B", "C"], "text": ["red", "blue", "green"]}, "gold": "B"},
        {"choices": {"A": "red", "B": "blue", "C": "green", "D": None}, "gold": "B"},
        {"choices": [{"label": one, "text": said} for one, said in zip("ABC", ["red", "blue", "green"], strict=True)]}
        | {"gold": "B"},
        {"choices": [{"id": n, "content": said} for n, said in enumerate(["red", "blue", "green"])], "gold": 1},
    ],
    ids=str,
)  # fmt: skip
def test_the_choices_stand_lettered_in_the_question_and_the_gold_is_a_letter(row: dict[str, Any]):
    (problem,) = problems([{"question": "Which?", **row}], choices=("choices",))
    assert (problem.question, problem.gold, problem.checker) == (ASKED, "B", "choice")
    assert problem.options == {"choices": ["red", "blue", "green"]}
    assert get_checker("choice").check(problem, "It is \\boxed{B}.").outcome is Outcome.CORRECT


def test_a_column_for_each_choice_is_as_good_as_a_list():
    row = {"q": "Which?", "A": "red", "B": "blue", "C": "green", "D": "", "cop": "B"}
    options = {"columns": {"question": "q", "gold": "cop"}, "choices": ("A", "B", "C", "D")}
    (problem,) = problems([row], **options)
    assert (problem.question, problem.gold) == (ASKED, "B")


def test_a_letter_inside_a_choice_begins_no_other():
    said = "A) one\nB) two\nC) either A or B.\nD) none, see C. above"
    (problem,) = problems([{"question": "Which?", "choices": said, "gold": "C"}], choices=("choices",))
    assert problem.options["choices"] == ["one", "two", "either A or B.", "none, see C. above"]
    assert "not a list of choices" in faults(
        {"question": "Which?", "choices": "A) one B) as A) says"}, choices=("choices",)
    )


def test_choices_that_stand_in_the_question_are_not_asked_twice():
    (problem,) = problems(
        [{"question": "Which? A. red B. blue", "choices": ["red", "blue"], "gold": "A"}], choices=("choices",)
    )
    assert problem.question == "Which? A. red B. blue"


@given(
    st.lists(st.permutations([str(n) for n in range(1, 5)]), min_size=5, max_size=20),
    st.booleans(),
    st.sampled_from([0, 1]),
    st.data(),
)
def test_a_number_is_a_place_and_never_a_text(texts: list[list[str]], written: bool, first: int, data: Any):
    places = [0, 3, *(data.draw(st.integers(0, 3)) for _ in texts[2:])]
    golds = [str(place + first) if written else place + first for place in places]
    rows = [
        {"question": f"{n}?", "choices": among, "gold": gold}
        for n, (among, gold) in enumerate(zip(texts, golds, strict=True))
    ]
    try:
        found = problems(rows, choices=("choices",))
    except UntoldGoldError:  # as texts alone, and each of them is that of a choice too
        assert written
        assert first == 1
        return
    assert [problem.gold for problem in found] == ["ABCD"[place] for place in places]


@pytest.mark.parametrize(
    ("golds", "says"),
    [
        ([1, 2, 1], "gold_is: from_0 or from_1"),
        (["1", "2", "3", "3"], "can be read in two ways"),
        ([7, 8], "name no choice"),
        (["none of these", "B"], "name no choice"),
    ],
)
def test_golds_of_which_the_rows_do_not_tell_what_they_mean_are_an_error(golds: list[Any], says: str):
    rows = [
        {"question": str(n), "choices": ["3", "4", "1", "2"], "gold": gold} for n, gold in enumerate(golds)
    ]
    with pytest.raises(ConfigError, match=rf"^here\.gold_is: golds such as .*{says}"):
        problems(rows, choices=("choices",))


def test_what_golds_mean_can_be_said():
    row = {"question": "Which?", "choices": ["3", "4", "1", "2"], "gold": "1"}
    found = {one: problems([row], choices=("choices",), gold_is=one)[0].gold for one in [*GoldIs][1:]}
    assert found == {GoldIs.TEXT: "C", GoldIs.FROM_0: "B", GoldIs.FROM_1: "A"}


def test_where_a_column_always_has_the_right_one_the_order_tells_nothing():
    rows = [{"question": f"{n}?", "good": f"yes {n}", "bad": f"no {n}"} for n in range(60)]
    options = {"columns": {"gold": "good"}, "choices": ("good", "bad"), "gold_is": GoldIs.TEXT}
    found = problems(rows, **options)
    assert 15 < sum(problem.gold == "A" for problem in found) < 45
    for problem in found:
        assert problem.options["choices"]["AB".index(problem.gold)].startswith("yes")


def test_a_problem_without_a_gold_has_none():
    for gold in (None, "", float("nan"), -1, []):
        (problem,) = problems(
            [{"question": "Which?", "choices": ["a", "b"], "gold": gold}], choices=("choices",)
        )
        assert problem.gold == ""


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"choices": ["a", "b"], "gold": 2}, "names none of the choices"),
        ({"choices": ["a", "b"], "gold": "C"}, "names none of the choices"),
        ({"choices": ["a", "b"], "gold": {"a": 1}}, "names none of the choices"),
        ({"choices": ["a"], "gold": 0}, "has 1 choices"),
        ({"choices": [*"abcdefghijk"], "gold": 0}, "has 11 choices; a question has 2 to 10"),
        ({"choices": ["a", "", "b"], "gold": 0}, "a choice that says nothing"),
        ({"choices": "red or blue", "gold": 0}, "not a list of choices"),
        ({"choices": "['a' 'b']", "gold": 0}, "no JSON list"),
        ({"choices": {"red": 1, "blue": 2}, "gold": 0}, "is an object"),
        ({"choices": {"text": ["a", "b"], "label": ["A"]}, "gold": 0}, "as many labels"),
        ({"choices": ["a", "b"], "gold": 0, "payload": {"choices": ["c"]}}, "choices of its own"),
    ],
    ids=str,
)
def test_what_is_no_multiple_choice_is_in_the_ledger(row: dict[str, Any], says: str):
    assert says in faults({"question": "Which?", **row}, choices=("choices",), gold_is=GoldIs.FROM_0)


def test_choices_go_with_a_conversation_and_a_pattern():
    row = {"m": [{"role": "user", "content": "Which?"}], "c": ["red", "blue"], "gold": "#### B"}
    (problem,) = problems([row], messages="m", choices=("c",), gold_pattern=r"####\s*(.+)")
    assert (problem.question, problem.gold) == ("Which?\n\n(A) red\n(B) blue", "B")
    assert json.loads(problem.payload) == {"choices": ["red", "blue"]}
