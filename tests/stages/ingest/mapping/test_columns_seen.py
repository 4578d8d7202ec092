from __future__ import annotations

from typing import Any

import pytest

from distillery.errors import ConfigError
from distillery.row_files import Drop, Fault
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.problem_rows import LOOK_AHEAD, shards


def run(rows: list[Any], limit: int | None = None, **options: Any) -> int:
    numbered = [(str(number), row) for number, row in enumerate(rows)]
    found = shards(numbered, RowMap("here", **options), shard_rows=500, limit=limit)
    return sum(output.kept.height for output in found)


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"question": f"q{number}", **more} for number in range(count)]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"columns": {"gold": "answr"}},
            r"columns\.gold: there is no column 'answr'; .*did you mean 'answer'",
        ),
        ({"columns": {"gold": "meta.truht"}}, r"columns\.gold: .*'meta\.truht'.*did you mean 'meta\.truth'"),
        ({"columns": {"payload": {"tests": "test"}}}, r"columns\.payload \(test\): .*'test'"),
        ({"columns": {"question": ["question", "in_put"]}}, r"columns\.question \(in_put\): .*'in_put'"),
        ({"keep": ("level_",)}, r"keep\.level_: .*did you mean 'level'"),
        ({"keep": ("text",)}, r"keep\.text: .*map text, or reasoning and answer"),
        ({"messages": "conversation"}, r"messages: .*did you mean 'conversations'"),
        ({"explode": ("generation",)}, r"explode \(generation\): .*did you mean 'generations'"),
        ({"columns": {"gold": "list.0.x"}}, r"columns\.gold: .*'list\.0\.x'"),
    ],
)
def test_a_path_that_no_row_has_is_an_error_with_the_nearest_name(options: dict[str, Any], says: str):
    more = {
        "answer": None,
        "meta": {"truth": 1},
        "level": 1,
        "conversations": [],
        "generations": [],
        "list": [{}],
    }
    with pytest.raises(ConfigError, match=rf"^here\.{says}"):
        run(rows(3, **more), **options)


@pytest.mark.parametrize(("value", "said"), [("text", "is no list"), ({"a": 1}, "is no list")])
def test_to_explode_what_is_a_list_in_no_row_is_an_error_of_its_own(value: Any, said: str):
    with pytest.raises(ConfigError, match=rf"^here\.explode: answers {said}; so it is in each row"):
        run(rows(3, answers=value), explode=("answers",), columns={"text": "answers"}, keep=("text",))


def test_a_path_in_the_last_row_that_is_looked_at_is_enough():
    few = [*rows(LOOK_AHEAD - 1), {"question": "last", "answer": "4"}]
    assert run(few, columns={"gold": "answer"}) == LOOK_AHEAD


def test_what_stands_behind_nulls_may_still_come_and_is_missed_at_the_end():
    nulls = rows(LOOK_AHEAD + 500, meta=None)
    for options in ({"columns": {"gold": "meta.truth"}}, {"keep": ("text",), "columns": {"text": "meta.0"}}):
        with pytest.raises(ConfigError, match=r"'meta\.\w+'; .*no row of the whole source has it"):
            run(nulls, **options)
    assert run([*nulls, {"question": "z", "meta": {"truth": "4"}}], columns={"gold": "meta.truth"}) == 1501
    assert run(nulls, limit=20, columns={"gold": "meta.truth"}) == 20


def test_rows_of_which_none_can_be_read_lack_no_column():
    assert run([Fault(Drop.MALFORMED, "x")] * 3) == 0
    assert run([]) == 0
