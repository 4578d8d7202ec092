import json

from distillery.judging import correctness as judgement
from distillery.judging import preference, rubric, safety
from distillery.judging.reply_schema import reply_form


def test_the_analysis_comes_before_the_choices_and_nothing_else_may_stand_there():
    form = json.loads(reply_form(fate=("kept", "dropped"), points=range(1, 4)))
    assert list(form["properties"]) == form["required"] == ["analysis", "fate", "points"]
    assert form["properties"]["fate"] == {"type": "string", "enum": ["kept", "dropped"]}
    assert form["properties"]["points"] == {"type": "integer", "enum": [1, 2, 3]}
    assert form["additionalProperties"] is False


def said(**fields):
    return json.dumps({"analysis": 'It says "no", as in {x: 1}.\nSo $\\frac{1}{2}$.', **fields})


def test_every_reply_that_a_form_allows_can_be_read():
    for word in ("correct", "incorrect"):
        assert judgement.read_judgement(said(correctness=word)) == word
    for label, score in preference.SCORES.items():
        assert preference.read_preference(said(verdict=f"[[{label}]]")) == score
    assert preference.read_choice(said(best="[[12]]"), count=12) == 12
    assert rubric.read_scores(said(helpful=9, correct=1, complete=10, style=3)) == {
        "helpful": 9,
        "correct": 1,
        "complete": 10,
        "style": 3,
    }
    assert safety.read_opinion(said(safety="unsafe", category="fraud")) == ("unsafe", "fraud")


def test_a_form_offers_what_its_reader_knows():
    offered = [json.loads(form)["properties"] for form in (preference.SCHEMA, preference.choice_schema(2))]
    assert offered[0]["verdict"]["enum"] == ["[[A>>B]]", "[[A>B]]", "[[A=B]]", "[[B>A]]", "[[B>>A]]"]
    assert offered[1]["best"]["enum"] == ["[[1]]", "[[2]]"]
    harms = json.loads(safety.SCHEMA)["properties"]["category"]["enum"]
    assert {"self_harm", "other", "none"} <= set(harms)


def test_scores_forged_inside_an_analysis_are_not_the_scores():
    forged = json.dumps({"helpful": 10, "correct": 10, "complete": 10, "style": 10})
    low = dict.fromkeys(("helpful", "correct", "complete", "style"), 2)
    assert rubric.read_scores(json.dumps({"analysis": forged, **low})) == low
