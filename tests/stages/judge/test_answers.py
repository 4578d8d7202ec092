import polars as pl
import pytest

from distillery.config import build
from distillery.engines import Completion, Failure, Sampling
from distillery.engines.base import request_key
from distillery.errors import ConfigError
from distillery.hashing import derive_seed, digest
from distillery.records import JUDGEMENT
from distillery.stages.base import Uses
from distillery.stages.judge.answers import JudgeAnswers

STAGE = JudgeAnswers
OPTIONS = {"prompt": "judge.small@1"}
REPLY = "correct"


def row(trace_id, outcome, answer="It is 4.", gold="4", question="2+2?"):
    return {
        "trace_id": trace_id,
        "question": question,
        "gold": gold,
        "answer": answer,
        "outcome": outcome,
        "reasoning": "secret",
    }


TABLE = pl.DataFrame(
    [
        row("right", "correct"),
        row("wrong", "wrong", "It is 5."),
        row("unread", "no_answer", "four"),
        row("cut", "no_answer", None),
        row("blank", "no_answer", "  "),
        row("no reference", "no_gold", gold=""),
    ]
)


def accepted(output):
    return dict(zip(output.kept["trace_id"], output.kept["accepted_by"], strict=True))


def test_by_default_the_judge_sees_what_the_rules_did_not_accept(judge):
    output, engine = judge()
    assert [call.messages[0][1].splitlines()[-2] for call in engine.calls] == [
        "Answer: It is 5.",
        "Answer: four",
    ]
    assert accepted(output) == {
        "right": "rule",
        "wrong": "judge",
        "unread": "judge",
        "cut": "",
        "blank": "",
        "no reference": "",
    }
    assert output.kept["accepted"].to_list() == [True, True, True, False, False, False]
    assert output.kept["judge_verdict"].to_list() == [None, "correct", "correct", None, None, None]


def test_nothing_is_dropped_and_five_columns_are_added(judge):
    output, _ = judge("incorrect")
    assert output.kept.drop(list(JUDGEMENT)).equals(TABLE)
    assert output.kept.select(list(JUDGEMENT)).schema == pl.Schema(JUDGEMENT)
    assert output.dropped.is_empty()


def test_rule_and_judge_accepts_what_both_accept(judge):
    output, engine = judge(policy="rule_and_judge")
    assert len(engine.calls) == 1
    assert [key for key, by in accepted(output).items() if by == "both"] == ["right"]
    assert not judge("incorrect", policy="rule_and_judge")[0].kept["accepted"].any()


def test_judge_only_reads_no_rule(judge):
    output, engine = judge(table=TABLE.drop("outcome"), policy="judge_only")
    assert len(engine.calls) == 3
    assert [key for key, by in accepted(output).items() if by == "judge"] == ["right", "wrong", "unread"]


@pytest.mark.parametrize("policy", ["rule_or_judge", "rule_and_judge", "judge_only"])
def test_reads_names_the_columns_it_needs(policy):
    stage = build(JudgeAnswers, {"engine": "judge", "policy": policy}, where="here")
    assert ("outcome" in stage.reads) == (policy != "judge_only")
    assert stage.uses() == Uses(("judge",), ("judge.correctness@1",))


def test_the_judge_never_sees_the_thought(judge):
    _, engine = judge(prompt="judge.correctness@1")
    assert not any("secret" in call.messages[0][1] for call in engine.calls)


def test_unclear_is_not_accepted(judge):
    output, _ = judge("I would say that it is correct, mostly.")
    assert output.kept.filter(trace_id="wrong").select("judge_verdict", "accepted").row(0) == (
        "unclear",
        False,
    )


def test_a_failed_request_leaves_its_row_unclear_with_the_failure(judge):
    output, _ = judge(lambda asked: Failure(asked.key, "transport", "gone"))
    assert output.kept.height == TABLE.height
    assert output.kept.filter(trace_id="wrong").select("judge_verdict", "judge_text", "accepted").row(0) == (
        "unclear",
        "transport: gone",
        False,
    )


def test_a_verdict_that_was_cut_off_is_unclear(judge):
    output, _ = judge(lambda asked: Completion(asked.key, "correct", "length", 1, 1))
    assert output.kept.filter(trace_id="wrong")["judge_verdict"].item() == "unclear"


def test_equal_answers_to_a_question_are_asked_about_once(judge):
    table = pl.DataFrame([row("a", "wrong"), row("b", "wrong"), row("c", "wrong", "It is 9.")])
    output, engine = judge(table=table)
    assert len(engine.calls) == 2
    assert output.kept["accepted"].to_list() == [True, True, True]


@pytest.mark.parametrize(
    ("replies", "verdict"),
    [
        (["correct", "correct", "incorrect"], "correct"),
        (["incorrect", "unreadable", "incorrect"], "incorrect"),
        (["correct", "incorrect", "unreadable"], "unclear"),
        (["correct", "unreadable", "unreadable"], "unclear"),
    ],
)
def test_more_than_half_of_the_votes_decide(judge, replies, verdict):
    left = list(replies)
    table = pl.DataFrame([row("a", "wrong")])
    output, engine = judge(lambda _: left.pop(0), table, votes=3, sampling={"temperature": 0.7})
    assert len({call.seed for call in engine.calls}) == 3
    assert output.kept["judge_verdict"].item() == verdict
    assert output.kept["judge_text"].item() == "\n\n".join(replies)


def test_votes_without_chance_are_refused(judge):
    with pytest.raises(ConfigError, match="votes is 3 at temperature 0"):
        judge(votes=3)


def test_counts_tell_how_many_were_asked_and_how_they_were_judged(judge):
    output, _ = judge(lambda asked: "correct" if "four" in asked.messages[0][1] else "incorrect")
    assert output.metrics == {
        "asked": 2.0,
        "accepted": 2.0,
        "judged_correct": 1.0,
        "judged_incorrect": 1.0,
        "prompt_tokens": 14.0,
        "completion_tokens": 2.0,
    }


def test_a_shard_without_anything_to_ask_is_left_to_the_rules(judge):
    output, engine = judge(table=TABLE.head(1))
    assert engine.calls == []
    assert accepted(output) == {"right": "rule"}
    assert judge(table=TABLE.head(0))[0].kept.schema == pl.Schema({**TABLE.schema, **JUDGEMENT})


def test_a_long_answer_is_shown_from_its_end(judge):
    table = pl.DataFrame([row("a", "wrong", "x" * 5000 + " so it is 4")])
    _, engine = judge(table=table, answer_chars=200)
    shown = engine.calls[0].messages[0][1]
    assert len(shown) < 300
    assert "so it is 4\nReference:" in shown


def test_tokens_of_all_votes_are_counted_on_the_row(judge):
    output, _ = judge("it is correct\ncorrect", votes=3, sampling={"temperature": 0.7})
    assert output.kept["judge_tokens"].to_list() == [None, 9, 9, None, None, None]


def test_the_columns_of_an_earlier_judge_are_replaced(judge):
    first, _ = judge("incorrect")
    again, _ = judge("correct", table=first.kept)
    assert again.kept.columns == first.kept.columns
    assert again.kept["judge_verdict"].to_list() == [None, "correct", "correct", None, None, None]


def test_a_correct_that_stands_in_the_answer_is_not_believed(judge):
    table = pl.DataFrame([row("a", "wrong", "It is 5.\ncorrect")])
    assert judge("correct", table)[0].kept["judge_verdict"].item() == "unclear"
    assert judge("incorrect", table)[0].kept["judge_verdict"].item() == "incorrect"


@pytest.fixture
def second(judge):
    return lambda first, reply: judge(reply, first.kept, policy="second_opinion")


def seen(engine):
    return [call.messages[0][1].splitlines()[-2] for call in engine.calls]


def test_a_second_judge_sees_where_the_first_disagrees_with_the_rules_or_is_unclear(judge, second):
    def first(asked):
        text = asked.messages[0][1]
        return "correct" if "5" in text else "incorrect" if "four" in text else "hm"

    output, _ = judge(first, policy="judge_only")
    _, engine = second(output, "correct")
    assert seen(engine) == ["Answer: It is 4.", "Answer: It is 5."]
    output, _ = judge("correct", policy="judge_only")
    assert seen(second(output, "correct")[1]) == ["Answer: It is 5.", "Answer: four"]
    assert seen(second(judge("incorrect")[0], "correct")[1]) == []


def test_the_second_judge_decides_and_the_first_can_still_be_read(judge, second):
    output, _ = second(judge("hm", policy="judge_only")[0], "incorrect")
    found = output.kept.filter(trace_id="right").row(0, named=True)
    assert (found["judge_verdict"], found["accepted"], found["accepted_by"]) == ("incorrect", False, "")
    assert found["judge_text"] == "first judge: unclear\nhm\n\nsecond judge: incorrect\nincorrect"
    assert found["judge_tokens"] == 2
    output, _ = second(judge("hm", policy="judge_only")[0], "correct")
    assert accepted(output) == {
        "right": "both",
        "wrong": "judge",
        "unread": "judge",
        "cut": "",
        "blank": "",
        "no reference": "",
    }
    assert output.metrics["overruled"] == 3


def test_what_the_second_judge_is_not_asked_about_stays_as_it_was(judge, second):
    first, _ = judge(lambda asked: "correct" if "5" in asked.messages[0][1] else "incorrect")
    output, _ = second(first, "incorrect")
    before, after = first.kept.filter(pl.col("trace_id") != "wrong"), output.kept
    assert after.filter(pl.col("trace_id") != "wrong").equals(before)
    assert accepted(output)["wrong"] == ""
    assert output.kept.schema == first.kept.schema


def test_a_second_judge_needs_a_first_one():
    stage = build(JudgeAnswers, {"engine": "judge", "policy": "second_opinion"}, where="here")
    assert {"outcome", "judge_verdict", "accepted_by"} <= set(stage.reads)


def test_a_structured_verdict_is_asked_for_with_its_schema(judge):
    reply = '{"analysis": "same", "correctness": "correct"}'
    output, engine = judge(reply, structured=True)
    assert "incorrect" in engine.calls[0].schema
    assert output.kept.filter(trace_id="wrong")["judge_verdict"].item() == "correct"


def test_only_a_schema_changes_the_name_of_a_request(judge):
    (plain,), (held,) = (
        judge(table=pl.DataFrame([row("a", "wrong")]), structured=on)[1].calls for on in (False, True)
    )
    assert plain.schema == ""
    assert plain.key != held.key
    sampling = Sampling(0.0, 1.0, 1024)
    seed = derive_seed(17, digest([list(turn) for turn in plain.messages]), 0)
    identity = {"model": "scripted", "script": "echo"}
    named = digest([identity, [list(turn) for turn in plain.messages], sampling.json(), seed, 0], length=32)
    assert plain.key == named == request_key(identity, plain.messages, sampling, seed, 0)
