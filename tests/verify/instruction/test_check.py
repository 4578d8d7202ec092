import json
from pathlib import Path
from typing import Any

import pytest

from distillery.config import build
from distillery.records import Outcome, Problem, Verdict
from distillery.stages import stage_class
from distillery.verify import get_checker
from distillery.verify.gold import gold_faults
from distillery.verify.instruction.check import loose_forms
from distillery.verify.instruction.rules import RULES

check = get_checker("instruction").check


def problem(*instructions: dict[str, Any], **payload: Any) -> Problem:
    return Problem(
        "q", "", checker="instruction", payload=json.dumps({"instructions": list(instructions), **payload})
    )


def holds(response: str, name: str, **arguments: Any) -> bool:
    verdict = check(problem({"id": name, **arguments}), response)
    assert verdict.outcome in (Outcome.CORRECT, Outcome.WRONG), verdict
    return verdict.outcome is Outcome.CORRECT


NO_COMMA = {"id": "punctuation:no_comma"}
SHORT = {"id": "length_constraints:number_words", "relation": "less than", "num_words": 4}


def test_all_must_hold_and_the_failed_are_named():
    both = problem(NO_COMMA, SHORT)
    assert check(both, "Three short words").score == 1.0
    verdict = check(both, "One, two, three words and more")
    assert (verdict.outcome, verdict.score) == (Outcome.WRONG, 0.0)
    assert verdict.detail == "does not hold: punctuation:no_comma, length_constraints:number_words"


def test_only_what_stands_after_the_thought_counts():
    assert check(problem(NO_COMMA), "<think>first, second</think>None here").outcome is Outcome.CORRECT
    assert check(problem(NO_COMMA), "<think>nothing</think>here, one").outcome is Outcome.WRONG


def test_a_tag_around_the_whole_response_is_no_part_of_it():
    quoted = problem({"id": "startend:quotation"})
    assert check(quoted, '<think>x</think><answer>"Well."</answer>').outcome is Outcome.CORRECT
    assert check(quoted, '<think>x</think>So: <answer>"Well."</answer>').outcome is Outcome.WRONG


@pytest.mark.parametrize("text", ["<think>never closed", "<think>x</think>  ", "", "<answer> </answer>"])
def test_no_response_is_no_answer(text: str):
    verdict = check(problem(NO_COMMA), text)
    assert (verdict.outcome, verdict.score) == (Outcome.NO_ANSWER, 0.0)


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"instructions": [{"id": "punctuation:none"}]}, "'punctuation:none'"),
        ({"instructions": [{}]}, "None"),
        ({"instructions": "no commas"}, "list of objects"),
        ({"instructions": [{**SHORT, "num_words": "4"}]}, "num_words is '4'"),
        ({"instructions": [{**SHORT, "num_words": True}]}, "num_words is True"),
        ({"instructions": [{**SHORT, "num_words": -1}]}, "num_words is -1"),
        ({"instructions": [{**SHORT, "relation": "about"}]}, "'at least' or 'less than'"),
        ({"instructions": [{**SHORT, "relation": ["at least"]}]}, "'at least' or 'less than'"),
        ({"instructions": [{**SHORT, "relation": None}]}, "missing argument 'relation'"),
        ({"instructions": [{**NO_COMMA, "words": 3}]}, "unknown argument 'words'; it takes none"),
        ({"instructions": [{"id": "keywords:existence", "keywords": "cat"}]}, "keywords is 'cat'"),
        ({"instructions": [{"id": "keywords:existence", "keywords": []}]}, "keywords is []"),
        ({"instructions": [{"id": "language:response_language", "language": "xx"}]}, "language is 'xx'"),
        ({"instruction_id_list": ["punctuation:no_comma"], "kwargs": []}, "one object for each id"),
        ({"instruction_id_list": ["punctuation:no_comma"], "kwargs": ["{}"]}, "not an object"),
        ({"instructions": [NO_COMMA], "loose": "yes"}, "loose is 'yes'"),
        ([], "not a JSON object"),
    ],
)
def test_a_payload_that_cannot_be_read_is_no_fault_of_the_answer(payload: Any, said: str):
    broken = Problem("q", "", checker="instruction", payload=json.dumps(payload))
    verdict = check(broken, "Some text")
    assert (verdict.outcome, verdict.score) == (Outcome.ERROR, None)
    assert said in verdict.detail
    (fault,) = gold_faults([broken], deadline_s=1, workers=1)
    assert "loose" in said or said in (fault.detail if fault else "")


def test_a_problem_without_instructions_has_nothing_to_be_held_to():
    verdict = check(problem(), "Some text")
    assert (verdict.outcome, verdict.score) == (Outcome.NO_GOLD, None)
    assert gold_faults([problem(), problem(NO_COMMA)], deadline_s=1, workers=1) == [
        Verdict(Outcome.NO_GOLD, detail="payload: there are no instructions"),
        None,
    ]


def test_the_published_shape_is_read_with_its_nulls_and_floats():
    payload = {
        "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
        "kwargs": [{"num_words": None}, {"relation": "at least", "num_words": 2.0, "keywords": None}],
    }
    published = Problem("q", "", checker="instruction", payload=json.dumps(payload))
    assert check(published, "Two words").outcome is Outcome.CORRECT
    assert check(published, "One").outcome is Outcome.WRONG


def test_the_published_file_can_be_ingested(tmp_path: Path):
    row = {
        "key": 1001,
        "prompt": "Write an itinerary. You are not allowed to use any commas.",
        "instruction_id_list": ["punctuation:no_comma"],
        "kwargs": [{}],
    }
    (tmp_path / "ifeval.jsonl").write_text(json.dumps(row) + "\n")
    stage = build(
        stage_class("ingest.file"),
        {
            "path": str(tmp_path / "ifeval.jsonl"),
            "columns": {
                "question": "prompt",
                "payload": {"instruction_id_list": "instruction_id_list", "kwargs": "kwargs"},
            },
            "constants": {"checker": "instruction", "domain": "instruction"},
        },
        where="s",
    )
    (output,) = stage.shards(None)
    (read,) = map(Problem.from_row, output.kept.iter_rows(named=True))
    assert check(read, "Day one we walk").outcome is Outcome.CORRECT
    assert check(read, "Day one, we walk").outcome is Outcome.WRONG


def test_loose_forgives_a_first_line_a_last_line_and_asterisks():
    ends = {"id": "startend:end_checker", "end_phrase": "the end"}
    text = "Sure, here it is:\nA tale and **the end**"
    assert check(problem(ends, NO_COMMA), text).outcome is Outcome.WRONG
    assert check(problem(ends, NO_COMMA, loose=True), text).outcome is Outcome.CORRECT
    assert check(problem(NO_COMMA, loose=True), "a, b\nc, d\ne, f").outcome is Outcome.WRONG


def test_the_loose_forms_are_the_papers_eight():
    assert loose_forms("*a*\nb\nc") == ["*a*\nb\nc", "a\nb\nc", "b\nc", "*a*\nb", "a\nb", "b"]


@pytest.mark.parametrize(
    ("name", "arguments", "good", "bad"),
    [
        ("keywords:existence", {"keywords": ["war", "C++"]}, "An award for c++", "War and C"),
        (
            "keywords:frequency",
            {"keyword": "a.b", "frequency": 2, "relation": "at least"},
            "A.B a.b",
            "a.b axb",
        ),
        ("keywords:frequency", {"keyword": "x", "frequency": 2, "relation": "less than"}, "x", "x x"),
        ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "A rocket", "It's ROCK!"),
        ("keywords:forbidden_words", {"forbidden_words": ["天气"]}, "今天很好", "今天天气很好"),
        (
            "keywords:letter_frequency",
            {"letter": "T", "let_frequency": 2, "let_relation": "less than"},
            "a t",
            "tT",
        ),
        (
            "keywords:letter_frequency",
            {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
            "#a #b",
            "#a",
        ),
        (
            "length_constraints:number_sentences",
            {"num_sentences": 2, "relation": "less than"},
            "Dr. No.",
            "A. b! C.",
        ),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "***\na\n***\nb", "a\n***\n\n***\nb"),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb\n***", "a\n\nb"),
        ("length_constraints:number_words", {"num_words": 3, "relation": "at least"}, "don't go", "a well"),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "Then"},
            'Once.\n\n"then," he said',
            "Then\n\nOnce",
        ),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "首先"},
            "首先我们去看看",
            "我们首先去看看",
        ),
        (
            "length_constraints:nth_paragraph_first_word",
            {"num_paragraphs": 1, "nth_paragraph": 2, "first_word": "a"},
            None,
            "a",
        ),
        ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[name] [address]", "[name] [x"),
        ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Yours\np. s. more", "PS more"),
        ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S more", "P.S. more"),
        ("detectable_content:postscript", {"postscript_marker": "N.B."}, "n.b. more", "nobody"),
        ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n  - b\n**c**", "* a\n* b\n* c"),
        (
            "detectable_format:constrained_response",
            {},
            "My answer is no.",
            "My answer is yes. My answer is no.",
        ),
        (
            "detectable_format:number_highlighted_sections",
            {"num_highlights": 2},
            "*a* and **b**",
            "*a* ** ** b",
        ),
        (
            "detectable_format:multiple_sections",
            {"section_spliter": "PART", "num_sections": 2},
            "PART 1\na\nPART 2\nb",
            "PART 1\nPart 2",
        ),
        ("detectable_format:json_format", {}, '```JSON\n{"a": [1]}\n```', "Here: {}"),
        ("detectable_format:title", {}, "<<poem of joy>>\nrest", "<<>>"),
        ("combination:two_responses", {}, "one\n******\ntwo", "one\n******\none"),
        ("combination:two_responses", {}, "******one******two", "a******b******c"),
        ("combination:repeat_prompt", {"prompt_to_repeat": "Say hi. "}, "say hi. Hi!", "Hi! Say hi."),
        (
            "startend:end_checker",
            {"end_phrase": "Any questions?"},
            '"So. any questions?"',
            "Any questions? No.",
        ),
        ("startend:quotation", {}, '"all of it"', '"some" of it'),
        ("startend:quotation", {}, "“all of it”", '"'),
        (
            "change_case:capital_word_frequency",
            {"capital_frequency": 3, "capital_relation": "at least"},
            "The NATO-EU and I AM",
            "The NATO-EU and NASA's",
        ),
        ("change_case:english_capital", {}, "THIS IS IT 1", "THIS IS it"),
        ("change_case:english_capital", {}, "THE END OF IT", "ES EL FINAL DE LA HISTORIA"),
        ("change_case:english_lowercase", {}, "this is it 1", "This is it"),
        ("punctuation:no_comma", {}, "one; two", "一，二"),
    ],
)
def test_each_instruction_holds_for_the_one_and_not_for_the_other(
    name: str, arguments: dict[str, Any], good: str | None, bad: str
):
    assert good is None or holds(good, name, **arguments)
    assert not holds(bad, name, **arguments)


def test_every_published_instruction_is_known():
    assert len(RULES) == 25
    assert len({name.partition(":")[0] for name in RULES}) == 9


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("sign", ["[", "<<", "*", "\n", "{", ". "])
def test_no_rule_is_slow_or_fails_on_a_hundred_thousand_signs(name: str, sign: str):
    values = {
        "keywords": [sign.strip() or "x"],
        "forbidden_words": [sign.strip() or "x"],
        "language": "de",
        "letter": "x",
        "relation": "at least",
        "let_relation": "at least",
        "capital_relation": "at least",
    }
    texts = (
        "keyword",
        "first_word",
        "postscript_marker",
        "section_spliter",
        "prompt_to_repeat",
        "end_phrase",
    )
    arguments = {key: values.get(key, "x" if key in texts else 1) for key in RULES[name].arguments}
    verdict = check(problem({"id": name, **arguments}), f"a{sign * (100_000 // len(sign))}b")
    assert verdict.score is not None
