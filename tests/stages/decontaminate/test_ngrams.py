from __future__ import annotations

import gzip
import json
import socket
from pathlib import Path

import polars as pl
import pytest
from huggingface_hub import constants

from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import LEDGER
from distillery.stages.base import Output
from distillery.stages.decontaminate.benchmarks import Bench, load
from distillery.stages.decontaminate.ngrams import DecontaminateNgrams

LONG = (
    "Let $ABC$ be a triangle with $AB = 13$, $BC = 14$ and $CA = 15$. A circle through $A$ touches the side $BC$ "
    "at its midpoint. Find the length of the chord that the circle cuts from the side $AB$."
)
SHORT = "What is the capital of Australia?"


@pytest.fixture
def bench(tmp_path: Path) -> str:
    file = tmp_path / "bench.jsonl"
    file.write_text("".join(json.dumps({"question": text}) + "\n" for text in (LONG, SHORT)))
    return str(file)


def run(against: object, questions: list[str | None], **options: object) -> Output:
    stage = build(DecontaminateNgrams, {"against": against, **options}, where="stages.decontaminate")
    table = pl.DataFrame(
        {"problem_id": [f"p{n}" for n in range(len(questions))], "question": questions, "detail": "own"},
        schema_overrides={"question": pl.String},
    )
    output = stage.apply(table, None)
    assert dict(output.dropped.schema) == LEDGER
    return output


def reasons(output: Output) -> dict[str, str]:
    return dict(output.dropped.select("key", "reason").iter_rows())


def test_a_verbatim_copy_is_found_with_its_evidence(bench: str):
    output = run([bench], [LONG.replace("$", "").upper(), "Something else."])
    assert output.dropped.rows() == [("p0", "exact", f"exact 1.00 of bench:1: {LONG[:160]!r}")]
    assert output.kept["problem_id"].to_list() == ["p1"]
    assert output.metrics == {
        "matched_exact": 1.0,
        "hit:exact:bench": 1.0,
        "compared:bench": 2.0,
        "pairs:bench": 4.0,
    }


def test_short_sums_differ_by_their_operators(tmp_path: Path):
    file = tmp_path / "sums.jsonl"
    file.write_text(json.dumps({"question": "Calculate 9 - 8 + 6 ."}) + "\n")
    assert reasons(
        run([str(file)], ["Calculate 9 + 8 - 6 .", "Calculate 9 - 8 + 5 .", "Calculate 9-8+6."])
    ) == {"p2": "exact"}


def test_short_questions_are_found_whole_and_not_by_their_common_words(bench: str):
    output = run(
        [bench], ["what is the capital of australia", "What is the capital of Austria?", "What is the?"]
    )
    assert reasons(output) == {"p0": "exact"}


def test_a_question_in_a_longer_prompt_and_a_part_of_a_question_are_found(bench: str):
    inside = (
        f"You are a careful solver. Think first. {LONG} Put the answer in a box, please, and explain it all."
    )
    assert reasons(run([bench], [inside, LONG[: len(LONG) // 2]])) == {"p0": "ngram", "p1": "ngram"}


def test_only_the_numbers_changed_is_told_apart_and_can_be_kept(bench: str):
    changed = [LONG.replace("13", "26").replace("14", "28").replace("15", "30")]
    assert reasons(run([bench], changed)) == {"p0": "numbers_changed"}
    kept = run([bench], changed, numbers_changed="keep")
    assert kept.kept.height == 1
    assert kept.metrics["matched_numbers_changed"] == kept.metrics["hit:numbers_changed:bench"] == 1.0


def test_renamed_variables_and_light_rewording_are_near(bench: str):
    reworded = LONG.replace("Let $ABC$ be a triangle", "Consider a triangle $ABC$").replace(
        "cuts from", "cuts off"
    )
    other = "Let $x$ and $y$ be the roots of $z^2 - 7z + 3 = 0$. Find the value of $x^3 + y^3$."
    stage_options = {"min_coverage": 1.0}
    assert reasons(run([bench], [reworded, other], **stage_options)) == {"p0": "near"}
    assert reasons(run([bench], [reworded], **stage_options, min_near=None)) == {}


def test_chinese_questions_match_whatever_their_width_and_punctuation(tmp_path: Path):
    file = tmp_path / "zh.jsonl"
    question = "小明有３个苹果，小红给了他５个苹果，请问小明现在一共有多少个苹果？"
    file.write_text(json.dumps({"question": question}, ensure_ascii=False) + "\n", encoding="utf-8")
    other = "一辆汽车每小时行驶60千米,从甲地到乙地要4小时,甲乙两地相距多少千米?"
    asked = ["小明有3个苹果,小红给了他5个苹果。请问小明现在一共有多少个苹果", other]
    assert reasons(run([str(file)], asked)) == {"p0": "exact"}


def test_rows_keep_all_their_columns_and_empty_texts_match_nothing(bench: str):
    output = run([bench], [None, "", "Who wrote Hamlet?"])
    assert output.kept.columns == ["problem_id", "question", "detail"]
    assert output.kept["detail"].to_list() == ["own"] * 3


def test_each_row_is_judged_alone(bench: str):
    questions = [LONG, "Who wrote Hamlet?", SHORT, LONG + " Explain."]
    whole = reasons(run([bench], questions))
    alone = {
        f"p{n}": one for n, text in enumerate(questions) for one in reasons(run([bench], [text])).values()
    }
    assert whole == alone


def test_benchmarks_have_names_columns_and_several_files(tmp_path: Path, bench: str):
    other = tmp_path / "other.csv"
    other.write_text("prompt,n\nWho wrote the play Hamlet?,1\n")
    against = [bench, {"path": str(other), "column": "prompt", "name": "quiz"}]
    output = run(against, ["Who wrote the play Hamlet"])
    assert output.dropped["detail"][0] == "exact 1.00 of quiz:1: 'Who wrote the play Hamlet?'"


def test_a_changed_benchmark_changes_the_stamp_and_the_result(bench: str):
    stage = build(DecontaminateNgrams, {"against": [bench]}, where="x")
    before = stage.stamp()
    assert reasons(run([bench], ["Who wrote Hamlet?"])) == {}
    Path(bench).write_text(json.dumps({"question": "Who wrote Hamlet?"}) + "\n")
    assert stage.stamp() != before
    assert reasons(run([bench], ["Who wrote Hamlet?"])) == {"p0": "exact"}


def test_missing_files_and_columns_are_config_errors(bench: str):
    with pytest.raises(ConfigError, match=r"no file at nowhere\.jsonl"):
        run(["nowhere.jsonl"], ["a"])
    with pytest.raises(ConfigError, match="has no column 'prompt'; there are: question"):
        run([{"path": bench, "column": "prompt"}], ["a"])
    with pytest.raises(ConfigError, match="at least 1 item"):
        run([], ["a"])


def questions_of(file: Path, column: str = "question") -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [json.loads(line)[column] for line in lines]


@pytest.mark.slow
def test_a_real_training_set_is_found_to_hold_the_test_set(real_data: Path):
    target = [str(real_data / "math_hendrycks_test.jsonl.gz")]
    output = run(target, questions_of(real_data / "math_l3to5_8k.jsonl.gz"))
    assert (
        output.metrics["matched_exact"] >= 2_925
    )  # 2,932 distinct questions equal but for case and punctuation
    assert output.dropped.height < 3_600


@pytest.mark.slow
def test_a_real_clean_set_is_left_alone(real_data: Path):
    target = [str(real_data / "math_hendrycks_test.jsonl.gz"), str(real_data / "eval_mmlu_test.jsonl.gz")]
    clean = questions_of(real_data / "math_gsm8k_train.jsonl.gz")[:3000]
    clean += questions_of(real_data / "qa_nq_open_dev.jsonl.gz")
    assert run(target, clean).dropped.height <= 0.001 * len(clean)


def test_real_reworded_copies_of_contest_problems_are_found(real_data: Path):
    pairs = real_data / "decontam_pairs.jsonl.gz"
    output = run([{"path": str(pairs), "column": "benchmark_problem"}], questions_of(pairs, "candidate"))
    assert output.dropped.height >= 8  # of 9; the ninth shares only a formula


@pytest.mark.slow
def test_a_benchmark_in_the_form_of_the_hub_is_read_and_named(tmp_path):
    (tmp_path / "bench").mkdir()
    question = "A farmer has seventeen sheep and buys nine more; how many sheep has the farmer now?"
    (tmp_path / "bench" / "test.jsonl").write_text(json.dumps({"problem": question}) + "\n")
    against = {"hub": str(tmp_path / "bench"), "column": "problem", "name": "farm"}
    output = run([against], [question, "What is the capital of France?"])
    assert output.kept["problem_id"].to_list() == ["p1"]
    assert "farm:1" in output.dropped["detail"][0]
    stage = build(DecontaminateNgrams, {"against": [against]}, where="x")
    assert stage.stamp() == [["hub", against["hub"], None, "test", None]]


@pytest.mark.parametrize("bench", [{}, {"path": "a.jsonl", "hub": "x/y"}])
def test_a_benchmark_has_either_a_path_or_a_hub_name(bench):
    with pytest.raises(ConfigError, match="either a path or a hub name"):
        build(DecontaminateNgrams, {"against": [bench]}, where="x")


class Hearing:
    """A context that keeps the alarms."""

    def __init__(self) -> None:
        self.alarms: list[str] = []

    def alarm(self, text: str) -> None:
        self.alarms.append(text)


def test_every_turn_of_the_user_is_looked_at(bench: str):
    history = [["user", LONG], ["assistant", "It is 7."]]
    said = [["user", "Hello."], ["assistant", SHORT]]  # what the assistant said is not asked
    payloads = [json.dumps({"history": turns}) for turns in (history, said, [["user", "half a pair"]])]
    table = pl.DataFrame(
        {"problem_id": ["a", "b", "c"], "question": ["And why?", "And?", "So?"], "payload": payloads}
    )
    output = build(DecontaminateNgrams, {"against": [bench]}, where="x").apply(table, None)
    assert reasons(output) == {"a": "exact"}
    assert output.kept["problem_id"].to_list() == ["b", "c"]


def test_the_surest_hit_of_all_turns_is_the_reason(bench: str):
    near = LONG.replace("Find the length of the chord", "Determine how long the chord is")
    payload = json.dumps({"history": [["user", SHORT], ["assistant", "Canberra."]]})
    table = pl.DataFrame({"problem_id": ["a"], "question": [near], "payload": [payload]})
    output = build(DecontaminateNgrams, {"against": [bench]}, where="x").apply(table, None)
    assert reasons(output) == {"a": "exact"}
    assert output.metrics["matched_exact"] == 1.0
    assert "matched_near" not in output.metrics


def test_the_default_list_takes_files_of_a_folder_and_says_what_it_could_not_have(tmp_path: Path):
    (tmp_path / "gsm8k.jsonl").write_text(json.dumps({"problem": LONG}) + "\n")
    (tmp_path / "mbpp.csv").write_text("text,n\nWrite a function to reverse a string.,1\n")
    (tmp_path / "aime_2024.jsonl").write_text("")
    (tmp_path / "README.md").write_text("not a benchmark")
    stage = build(DecontaminateNgrams, {"folder": str(tmp_path)}, where="x")
    table = pl.DataFrame({"problem_id": ["a", "b"], "question": [LONG, "Why?"]})
    ctx = Hearing()
    output = stage.apply(table, ctx)
    stage.apply(table, ctx)
    assert reasons(output) == {"a": "exact"}
    assert output.metrics["compared:gsm8k"] == output.metrics["compared:mbpp"] == 2.0
    assert output.metrics["unchecked:gpqa_diamond"] == output.metrics["unchecked:aime_2024"] == 2.0
    assert len(ctx.alarms) == 1
    assert "gpqa_diamond" in ctx.alarms[0]
    assert "aime_2024 (no question in it)" in ctx.alarms[0]
    assert stage.stamp() == build(DecontaminateNgrams, {"folder": str(tmp_path)}, where="x").stamp()


def test_the_default_list_can_be_added_to_and_its_stamp_tells_what_is_there(tmp_path: Path, bench: str):
    stage = build(DecontaminateNgrams, {"against": ["default", bench]}, where="x")
    stamps = stage.stamp()
    assert stamps[:2] == ["default", 1]
    assert len(stamps[-1][0]) == 64
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "gsm8k.jsonl").write_text("{}\n")
    options = {"against": ["default", bench], "folder": str(tmp_path / "more")}
    assert build(DecontaminateNgrams, options, where="x").stamp() != stamps


def test_a_folder_that_is_none_is_a_config_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="folder: there is no folder"):
        build(DecontaminateNgrams, {"folder": str(tmp_path / "none")}, where="x").stamp()


def test_the_parts_of_one_benchmark_are_numbered_on(tmp_path: Path):
    for part, text in (("a", LONG), ("b", SHORT)):
        (tmp_path / f"{part}.jsonl").write_text(json.dumps({"question": text}) + "\n")
    against = [{"path": str(tmp_path / f"{part}.jsonl"), "name": "both"} for part in "ab"]
    output = run(against, [SHORT])
    assert "of both:2:" in output.dropped["detail"][0]


def test_an_optional_benchmark_may_be_missing_and_no_other(tmp_path: Path, bench: str):
    against = [bench, {"path": str(tmp_path / "none.jsonl"), "name": "none", "optional": True}]
    ctx = Hearing()
    table = pl.DataFrame({"problem_id": ["a"], "question": [SHORT]})
    output = build(DecontaminateNgrams, {"against": against}, where="x").apply(table, ctx)
    assert output.metrics["unchecked:none"] == 1.0
    assert ctx.alarms == ["decontamination: not checked, for they could not be had: none (no question in it)"]
    with pytest.raises(ConfigError, match="cannot be loaded"):
        run([{"hub": str(tmp_path / "nothing")}], ["a"])


def test_a_hub_that_does_not_answer_costs_one_short_wait(monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
    seen: list[bool] = []

    def asked(*_: object, **__: object) -> list[dict[str, str]]:
        seen.append(constants.HF_HUB_OFFLINE)
        raise ConfigError("not in the cache")

    monkeypatch.setattr("distillery.stages.decontaminate.benchmarks.load_split", asked)
    found = load([Bench(hub="a/b", optional=True), Bench(hub="a/c", optional=True)])
    assert (seen, constants.HF_HUB_OFFLINE) == ([True, True], False)
    assert list(found.missing) == ["a/b", "a/c"]
