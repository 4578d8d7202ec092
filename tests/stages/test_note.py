from __future__ import annotations

from distillery.stages.note import Note


def note(**more: object) -> Note:
    return Note.read(Note(id="a", use="filter.quality", fingerprint="f", rows_in=2000, **more).text())


def test_what_a_step_could_not_look_at_is_said_in_words():
    assert note(counts={"untold_language": 37.0, "rows": 4.0}).remarks == [
        "language: 37 of 2,000 rows could not be told; not checked"
    ]
    assert note(facts={"untold_language": 1}).remarks == [
        "language: 1 of 2,000 rows could not be told; not checked"
    ]
    assert note(counts={"untold_prompts": 3}).remarks == [
        "language: 3 of 2,000 prompts do not tell it; only their thoughts could"
    ]
    assert note(counts={"rows": 4.0}).remarks == []
