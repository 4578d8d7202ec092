import polars as pl
import pytest

from distillery.config import build, identity
from distillery.errors import ConfigError
from distillery.records import VERDICT, Outcome, Problem, Verdict
from distillery.stages import stage_class
from distillery.stages.base import Output, ShardStage
from distillery.stages.verify.answers import VerifyAnswers


class Counts:
    seed = 0

    def __init__(self) -> None:
        self.seen: dict[str, float] = {}
        self.alarms: list[str] = []

    def progress(self, **counts: float) -> None:
        self.seen.update(counts)

    def alarm(self, text: str) -> None:
        self.alarms.append(text)


def traces(*rows: tuple[str, str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"trace_id": f"t{n}", "question": "q", "gold": gold, "checker": checker, "text": text}
            for n, (gold, checker, text) in enumerate(rows)
        ]
    )


def run(table: pl.DataFrame, counts: Counts | None = None) -> Output:
    return VerifyAnswers().apply(table, counts or Counts())


def test_repeating_the_question_is_wrong_unless_the_option_lets_it():
    table = traces(
        ("9", "math", "\\boxed{2^3+1}"), ("9", "math", "\\boxed{8+1}"), ("B", "choice", "\\boxed{B}")
    )
    table = table.with_columns(question=pl.lit("What is $2^3+1$?"))
    assert run(table).kept["outcome"].to_list() == ["wrong", "correct", "correct"]
    free = VerifyAnswers(repeats_are_wrong=False).apply(table, Counts())
    assert free.kept["outcome"].to_list() == ["correct"] * 3


def test_it_is_a_shard_stage_of_the_name_it_is_called_by():
    assert isinstance(build(stage_class("verify.answers"), {"deadline_s": 3}, where="s"), ShardStage)


def test_every_row_stays_with_its_verdict():
    counts = Counts()
    output = run(
        traces(
            ("4", "math", "<think>x</think>\\boxed{4}"),
            ("4", "math", "\\boxed{5}"),
            ("4", "math", "<think>x"),
            ("", "math", "\\boxed{4}"),
            ("B", "choice", "\\boxed{B}"),
            ("4", "guess", "4"),
        ),
        counts,
    )
    assert output.kept["trace_id"].to_list() == [f"t{n}" for n in range(6)]
    assert output.kept["outcome"].to_list() == [
        "correct",
        "wrong",
        "no_answer",
        "no_gold",
        "correct",
        "error",
    ]
    assert output.kept["score"].to_list() == [1.0, 0.0, 0.0, None, 1.0, None]
    assert output.kept.select(*VERDICT).schema == pl.Schema(VERDICT)
    assert output.dropped.height == 0
    assert counts.seen == {"rows": 6, "accepted": 2}


def test_counts_of_outcomes_add_up_and_many_faults_of_ours_raise_an_alarm():
    counts = Counts()
    output = run(traces(("4", "math", "\\boxed{4}"), ("4", "guess", "4")), counts)
    assert output.metrics == {"outcome_correct": 1.0, "outcome_error": 1.0, "alarm_unjudged": 1.0}
    (said,) = counts.alarms
    assert said.startswith("1 of 2 answers could not be judged: 1 error, such as \"unknown checker 'guess'")


def test_few_faults_of_ours_raise_none(monkeypatch: pytest.MonkeyPatch):
    verdicts = [Verdict(Outcome.TIMEOUT)] * 5 + [Verdict.of(True)] * 95
    monkeypatch.setattr("distillery.stages.verify.answers.judge", lambda *_, **__: verdicts)
    assert "alarm_unjudged" not in run(traces(*[("4", "math", "4")] * 100)).metrics


def test_verdicts_of_an_earlier_judge_are_replaced():
    table = run(traces(("4", "math", "\\boxed{4}"))).kept.with_columns(gold=pl.lit("5"))
    again = run(table).kept
    assert again["outcome"].to_list() == ["wrong"]
    assert again.columns == table.columns


def test_the_payload_and_a_missing_text_are_read_as_they_are():
    table = traces(("4", "exact", "4"), ("4", "exact", "")).with_columns(
        payload=pl.lit('{"within": "answer"}')
    )
    table = table.with_columns(text=pl.when(pl.col("text") == "").then(None).otherwise(pl.col("text")))
    assert run(table).kept["outcome"].to_list() == ["no_answer", "no_answer"]


def test_a_verdict_depends_on_no_other_row():
    rows = [
        ("2\\sqrt{2}", "math", "\\boxed{\\sqrt{8}}"),
        ("y", "math", "\\boxed{9^{9^{9^{9^9}}}+x}"),
        ("x+y", "math", "\\boxed{y+x}"),
    ]
    together = VerifyAnswers(deadline_s=1).apply(traces(*rows), Counts()).kept["outcome"].to_list()
    assert together == ["correct", "wrong", "correct"]  # the tower is refused without being climbed
    assert [run(traces(row)).kept["outcome"][0] for row in (rows[0], rows[2])] == ["correct", "correct"]


def test_an_empty_shard_is_fine():
    table = traces(("4", "math", "4")).clear()
    assert run(table).kept.columns == [*table.columns, *VERDICT]


def test_how_many_workers_judge_is_no_part_of_what_they_find():
    assert identity(VerifyAnswers(workers=1)) == identity(VerifyAnswers(workers=2))


def test_a_deadline_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="deadline_s"):
        build(VerifyAnswers, {"deadline_s": 0}, where="stages.check")


def test_a_problem_is_judged_alike_by_row_and_by_record():
    row = traces(("4", "math", "\\boxed{4}")).row(0, named=True)
    assert Problem.from_row(row) == Problem("q", "4", checker="math")
