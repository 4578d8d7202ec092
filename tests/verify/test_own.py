"""Checkers in users' own files: who may name them, and what they may do."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import Outcome, Problem, Verdict
from distillery.stages.export.rl import ExportRl
from distillery.stages.train.grpo import TrainGrpo
from distillery.stages.verify.answers import VerifyAnswers
from distillery.stages.verify.gold import VerifyGold
from distillery.verify.gold import gold_faults
from distillery.verify.pool import processes as pool

MODULE = """\
import json
from distillery.records import Outcome, Verdict
from distillery.verify import Checker, Errand

def same(problem, text):
    return Verdict.of(text == problem.gold, text)

def hangs(problem, text):
    while True: pass

def raises(problem, text):
    print("noise")
    raise KeyError("lost")

def yes(problem, text):
    return True

def read(problem):
    return Errand(json.dumps({"gold": problem.gold, "text": ""}))

def work(gold, text):
    return Verdict(Outcome.NO_GOLD, detail="empty") if not gold else Verdict.of(gold == text)

later = Checker(
    lambda problem, text: Errand(json.dumps({"gold": problem.gold, "text": text})), gold_errand=read, work=work
)
seven = 7

nan, inf = float("nan"), float("inf")

def says(problem, text):
    return eval(text)

golds = Checker(says, gold_fault=lambda problem: eval(problem.gold))
errands = Checker(says, gold_errand=lambda problem: eval(problem.gold))

def fails():
    raise SystemExit("no licence")

unprepared = Checker(same, prepare=fails)
"""
SCORES = ("None", "0.0", "0.5", "1.0", "1", "2.0", "-0.5", "nan", "inf", "True", "'1'")
RIGHT = {
    "CORRECT": {"0.5", "1.0", "1"},
    "WRONG": {"0.0", "0.5"},
    "NO_ANSWER": {"0.0"},
    "NO_GOLD": {"None"},
    "TIMEOUT": {"None"},
    "ERROR": {"None"},
}
BROKEN = ("1 / 0", "[].nothing", "exit()", "True", "False", "7", "b'x'", "['x']", "'\\ud800'")


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    pool.close()
    yield
    pool.close()
    sys.modules.pop("mine", None)


def verdict(checker: str, text: str = "4", own: str | None = None) -> Verdict:
    return pool.judge_one(Problem("q", "4", checker=checker), text, deadline_s=1, own=[own or checker])


@pytest.mark.slow
def test_whatever_it_does_is_an_outcome_of_its_row():
    found = {name: verdict(f"mine:{name}") for name in ("same", "hangs", "raises", "yes", "later")}
    assert {name: one.outcome.value for name, one in found.items()} == {
        "same": "correct", "hangs": "timeout", "raises": "error", "yes": "error", "later": "correct"
    }  # fmt: skip
    assert found["raises"].detail == "KeyError: 'lost'"
    assert found["yes"].detail == "TypeError: checker 'mine:yes' gave True, no Verdict"


def test_a_gold_that_takes_work_to_read_is_read():
    problems = [Problem("q", gold, checker="mine:later") for gold in ("4", "")]
    found = gold_faults(problems, deadline_s=5, workers=1, own=["mine:later"])
    assert found == [None, Verdict(Outcome.NO_GOLD, detail="empty")]


@pytest.mark.slow
def test_a_verdict_whose_outcome_and_score_do_not_agree_is_an_error():
    texts = {
        f"Verdict(Outcome.{outcome}, {score})": score in fit
        for outcome, fit in RIGHT.items()
        for score in SCORES
    }
    texts |= {f"Verdict({outcome}, 1.0)": False for outcome in ("'correct'", "None", "7")}
    texts |= {f"Verdict(Outcome.WRONG, 0.0, {said})": False for said in ("7", "b'x'", "'\\ud800'")}
    texts |= {f"Verdict(Outcome.WRONG, 0.0, None, {said})": False for said in ("None", "7", "'\\ud800'")}
    problem = Problem("q", "4", checker="mine:says")
    verdicts = pool.judge([(problem, text) for text in texts], workers=1, own=["mine:says"])
    for (text, fits), found in zip(texts.items(), verdicts, strict=True):
        error = found.outcome is Outcome.ERROR and found.detail.startswith(
            "TypeError: checker 'mine:says' gave "
        )
        assert error is not fits, (text, found)
        assert found.score == (float(text.split(", ")[1][:-1]) if fits and "None" not in text else None)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["golds", "errands"])
def test_no_gold_is_good_that_its_checker_broke_on(how: str):
    golds = ("None", *BROKEN)
    rows = [{**Problem("q", gold, checker=f"mine:{how}").row(), "problem_id": gold} for gold in golds]
    heard: list[str] = []
    ctx = SimpleNamespace(progress=lambda **_: None, alarm=heard.append)
    stage = VerifyGold(checkers=(f"mine:{how}",), workers=1)
    output = stage.apply(pl.DataFrame(rows), ctx)  # pyright: ignore
    assert output.kept["gold"].to_list() == ["None"]
    assert output.dropped["key"].to_list() == list(BROKEN)
    assert set(output.dropped["reason"]) == {"error"}
    assert all(output.dropped["detail"])
    assert len(heard) == 1
    assert heard[0].startswith(
        f"{len(BROKEN)} of {len(golds)} golds could not be judged: 9 error, such as 'Zero"
    )


def test_one_that_cannot_prepare_is_an_error_that_says_why():
    found = verdict("mine:unprepared")
    assert (found.outcome, found.score) == (Outcome.ERROR, None)
    assert found.detail.endswith("SystemExit: no licence")


def test_a_row_cannot_bring_in_a_checker_that_the_pipeline_does_not_name():
    found = verdict("mine:same", own="other:same")
    assert found.outcome == "error"
    assert found.detail == "checker 'mine:same' is not named in this stage's option checkers"
    assert "mine" not in sys.modules


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere:same", "there is no module nowhere (looked in "),
        ("mine:nothing", "there is no nothing in "),
        ("mine:seven", "is 7; a checker is module:name, a function (problem, text) -> Verdict or"),
        ("math", "is no module:name; a checker is module:name"),
    ],
)
def test_a_name_that_names_no_checker_is_refused_with_the_pipeline(name: str, said: str):
    with pytest.raises(ConfigError) as refused:
        build(VerifyAnswers, {"checkers": [name]}, where="stages.checked")
    assert str(refused.value).startswith(f"stages.checked: checker {name!r}: ")
    assert said in str(refused.value)


def test_the_stages_say_which_code_they_run():
    assert VerifyAnswers().code() == ()
    assert build(VerifyAnswers, {"checkers": ["mine:same"]}, where="s").code() == ("mine:same",)
    options = {"model": "m", "checkers": ["mine:later"], "rewards": {"mine:same": 1.0, "format": 1.0}}
    assert build(TrainGrpo, options, where="s").code() == ("mine:later", "mine:same")


def test_problems_with_a_named_checker_are_exported():
    table = pl.DataFrame([Problem("q", "4", checker="mine:same").row()])
    kept = {own: ExportRl(checkers=own).apply(table, ctx=None).kept.height for own in ((), ("mine:same",))}  # pyright: ignore
    assert kept == {(): 0, ("mine:same",): 1}
