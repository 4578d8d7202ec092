from __future__ import annotations

import gzip
import json
from pathlib import Path

import polars as pl
import pytest

from distillery.cli import main
from distillery.config import build
from distillery.errors import ConfigError
from distillery.records import LEDGER
from distillery.stages.base import Decision
from distillery.stages.dedup.exact import DedupExact
from distillery.stages.dedup.minhash import DedupMinhash

LONG = "A farmer has {} hens and {} ducks in a field by the river and sells half of all hens on Monday. How many hens stay?"


def problem(name: str, question: str, **more: object) -> dict:
    return {"problem_id": name, "question": question, **more}


def decide(cls: type, rows: list[dict], *, parts: int = 1, **options: object) -> Decision:
    stage = build(cls, options, where="stages.dedup")
    table = pl.DataFrame(rows, infer_schema_length=None)
    size = -(-table.height // parts)
    sketches = [stage.sketch(table[begin : begin + size], None) for begin in range(0, table.height, size)]
    decision = stage.decide(pl.concat(sketches), None)
    assert dict(decision.dropped.schema) == LEDGER
    return decision


def gone(decision: Decision) -> set[str]:
    return set(decision.dropped["key"])


both = pytest.mark.parametrize("cls", [DedupExact, DedupMinhash])


@both
def test_one_of_two_spellings_stays_and_the_ledger_names_it(cls: type):
    rows = [problem("a", r"What is $\dfrac{1}{2}$ of 10?"), problem("b", r"what is \(\frac12\) of  10 ?")]
    (row,) = decide(cls, rows, keep="any").dropped.to_dicts()
    assert row["key"] == "b"
    assert row["detail"] == "copy of a, similarity 1.000"
    assert row["reason"] in ("same_text", "near_copy")


@both
def test_sums_that_differ_in_their_operator_or_numbers_are_different(cls: type):
    rows = [problem("a", "2 + 3 = ?"), problem("b", "2 - 3 = ?"), problem("c", "2 + 4 = ?")]
    assert decide(cls, rows).dropped.is_empty()


def test_answers_with_one_opening_are_copies_where_only_openings_are_compared():
    opening = (
        "Certainly! Here is a step by step guide to everything that you asked me about today, my friend. "
    )
    rows = [
        problem(name, "", answer=opening + " ".join(f"{word}{n}" for n in range(60)))
        for name, word in (("a", "red"), ("b", "blue"))
    ]
    rows.append(problem("c", "", answer="Another beginning altogether, and then much else. " + opening))
    assert gone(decide(DedupMinhash, rows, column="answer")) == set()
    assert len(gone(decide(DedupMinhash, rows, column="answer", opening=90)) & {"a", "b"}) == 1


@both
def test_samples_of_one_problem_are_never_copies_of_one_another(cls: type):
    rows = [problem("a", "What is 2+3?", trace_id=f"t{number}") for number in range(4)]
    assert decide(cls, rows, key="trace_id").dropped.is_empty()


@both
def test_all_samples_of_a_copy_go_together(cls: type):
    rows = [problem("a", "What is 2+3?", trace_id="a0")]
    rows += [problem("b", "What is 2 + 3", trace_id=f"b{number}") for number in range(3)]
    assert gone(decide(cls, rows, key="trace_id", keep="any")) == {"b0", "b1", "b2"}


@both
def test_units_with_several_texts_go_for_any_text_of_one_that_stays(cls: type):
    texts = {
        "a": ["red or blue"],
        "b": ["red or blue", "up or down"],
        "c": ["up or down"],
        "d": ["up or down"],
    }
    rows = [
        problem(unit, "", text=text, trace_id=f"{unit}{number}")
        for unit, said in texts.items()
        for number, text in enumerate(said)
    ]
    decision = decide(cls, rows, key="trace_id", column="text", keep="any")
    assert gone(decision) == {"b0", "b1", "d0"}


@both
def test_the_best_copy_is_by_source_then_gold_then_length_then_id(cls: type):
    rows = [
        problem("a", "What is 2+3", source="low", gold="5"),
        problem("b", "What is  2+3 ?", source="low", gold=""),
        problem("c", "What is 2+3?", source="high", gold=""),
    ]
    assert gone(decide(cls, rows, prefer_sources=["high", "low"])) == {"a", "b"}
    assert gone(decide(cls, rows)) == {"b", "c"}
    equal = [problem("x", "What is 2+3?"), problem("y", "What is   2+3?")]
    assert gone(decide(cls, equal)) == {"x"}
    assert gone(decide(cls, equal, keep="shortest")) == {"y"}
    assert gone(decide(cls, equal, keep="any")) == {"y"}


@both
def test_the_result_does_not_depend_on_row_order_or_shards(cls: type):
    rows = [problem(f"p{number}", LONG.format(number % 5, number % 3)) for number in range(40)]
    first = decide(cls, rows)
    assert not first.dropped.is_empty()
    assert decide(cls, rows[::-1], parts=7).dropped.equals(first.dropped)


@both
def test_texts_without_words_are_nobodys_copies(cls: type):
    rows = [problem("a", ""), problem("b", "..."), problem("c", None)]
    assert decide(cls, rows).dropped.is_empty()


@both
def test_chinese_is_compared_by_character_and_width_does_not_count(cls: type):
    rows = [
        problem("a", "小明有３个苹果，又买了５个，一共有多少个苹果？"),
        problem("b", "小明有3个苹果,又买了5个,一共有多少个苹果?"),
        problem("c", "小红有7支铅笔，送给同学2支，还剩下几支铅笔？"),
    ]
    assert gone(decide(cls, rows, keep="any")) == {"b"}


@both
def test_facts_count_the_clusters(cls: type):
    rows = [problem(name, "What is two plus three?") for name in "abc"] + [problem("d", "Who wrote Hamlet?")]
    facts = decide(cls, rows).facts
    assert {name: facts[name] for name in ("problems", "copies", "clusters", "largest_cluster")} == {
        "problems": 4,
        "copies": 2,
        "clusters": 1,
        "largest_cluster": 3,
    }


@both
def test_equal_texts_with_other_golds_are_siblings_and_both_stay(cls: type):
    rows = [
        problem("a", "What is the sum shown?", gold="0.5", checker="math"),
        problem("b", "What is  the sum shown", gold=r"\frac12", checker="math"),
        problem("c", "what is the sum shown?", gold="7", checker="math"),
        problem("d", "What is the sum shown ?", gold="", checker="math"),
    ]
    decision = decide(cls, rows, keep="any")
    assert gone(decision) == {"b", "d"}
    assert decision.facts["gold_differs"] == 0
    assert decision.facts["siblings"] == {"gold": 1}
    assert decision.facts["sibling_pairs"] == [["c", "a", 1.0, "gold"]]


@both
def test_the_same_last_question_after_other_turns_is_another_problem(cls: type):
    history = '{{"history": [["user", "Who was {}?"], ["assistant", "A king of old."]]}}'
    rows = [
        problem("a", "Tell me more about him, and when he lived."),
        problem("b", "tell me more about him and when he lived"),
    ]
    rows[0]["payload"], rows[1]["payload"] = history.format("Arthur"), history.format("Clovis")
    assert decide(cls, rows).dropped.is_empty()
    rows[1]["payload"] = history.format("ARTHUR")
    assert decide(cls, rows).dropped.height == 1


@both
def test_a_row_without_a_gold_joins_no_rows_that_differ_in_theirs(cls: type):
    rows = [
        problem(name, "What is the sum shown?", gold=gold) for name, gold in zip("abc", "576", strict=True)
    ]
    rows += [problem("d", "What is the sum  shown?", gold="")] * 1
    assert gone(decide(cls, rows, keep="any")) == {"d"}


@both
def test_told_that_golds_do_not_count_what_differs_in_them_goes_and_is_counted(cls: type):
    rows = [
        problem("a", "What is the sum shown?", gold="5"),
        problem("b", "What is the sum  shown", gold="6"),
    ]
    decision = decide(cls, rows, same_gold=False, keep="any")
    assert gone(decision) == {"b"}
    assert decision.facts["gold_differs"] == 1


def test_siblings_are_counted_by_what_they_differ_in_and_shown():
    rows = [problem("a", LONG.format(17, 40)), problem("b", LONG.format(17, 40).replace("hens", "geese", 1))]
    rows += [
        problem("c", LONG.format(18, 40)),
        problem("d", LONG.format(17, 40).replace("half", "all"), gold="9"),
    ]
    decision = decide(DedupMinhash, rows, threshold=0.6, keep="any")
    assert gone(decision) == {"b"}
    assert set(decision.facts["siblings"]) == {"wording"}
    assert {frozenset(pair[:2]) for pair in decision.facts["sibling_pairs"]} == {
        frozenset("ac"),
        frozenset("ad"),
        frozenset("cd"),
    }


def test_the_same_words_in_another_order_are_another_problem():
    rows = [problem("a", f"Tom has more than Ann. {LONG}"), problem("b", f"Ann has more than Tom. {LONG}")]
    assert decide(DedupMinhash, rows, threshold=0.5).dropped.is_empty()
    assert gone(decide(DedupMinhash, rows, threshold=0.5, same_numbers=False, keep="any")) == {"b"}


def test_near_copies_are_found_with_their_similarity():
    rows = [problem("a", f"{LONG.format(3, 4)} Give the number only."), problem("b", LONG.format(3, 4))]
    (row,) = decide(DedupMinhash, rows, threshold=0.7).dropped.to_dicts()
    assert row["key"] == "b"
    assert 0.7 <= float(row["detail"].rpartition(" ")[2]) < 1.0
    assert decide(DedupExact, rows).dropped.is_empty()


def test_any_column_can_be_compared():
    rows = [problem("a", "q1", text="same words here"), problem("b", "q2", text="Same words, here.")]
    assert decide(DedupExact, rows).dropped.is_empty()
    assert gone(decide(DedupExact, rows, column="text", keep="any")) == {"b"}


def load(file: Path, source: str) -> list[dict]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [
            problem(f"{source}-{number}", json.loads(line)["question"], source=source)
            for number, line in enumerate(lines)
        ]


@pytest.mark.slow
def test_two_real_training_sets_share_what_they_are_known_to_share(real_data: Path):
    rows = load(real_data / "math_l3to5_8k.jsonl.gz", "l3to5")
    rows += load(real_data / "math_train_deepscaler.jsonl.gz", "deepscaler")
    exact = decide(DedupExact, rows, prefer_sources=["deepscaler"])
    near = decide(DedupMinhash, rows, prefer_sources=["deepscaler"])
    shared = {key for key in gone(exact) if key.startswith("l3to5")}
    assert 5_540 <= len(shared) <= 5_600  # 5,557 questions equal after dropping case and punctuation
    assert len(shared & gone(near)) >= 0.99 * len(shared)
    assert len(gone(near)) < 1.05 * len(gone(exact))


LINE = """
pipeline: {name}
stages:
  - {{id: given, use: ingest.file, with: {{path: {name}.jsonl}}}}
  - {{id: unique, use: dedup.minhash, with: {{earlier: {earlier}{more}}}}}
  - {{id: known, use: export.signatures}}
"""


def run_set(folder: Path, name: str, questions: list[str], earlier: str = "[]", more: str = "") -> Path:
    """The folder with the set's signatures."""
    (folder / f"{name}.jsonl").write_text(
        "".join(json.dumps({"question": text}) + "\n" for text in questions)
    )
    (folder / f"{name}.yaml").write_text(LINE.format(name=name, earlier=earlier, more=more))
    assert main(["run", f"{name}.yaml"]) == 0
    run = json.loads((folder / "data" / "runs" / name / "1" / "run.json").read_text())
    return folder / "data" / "store" / run["steps"][-1]["folder"] / "out"


@pytest.mark.slow
def test_what_an_earlier_set_has_goes_and_the_report_shows_the_pair(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    first = run_set(
        tmp_path, "first", [LONG.format(17, 40), "What is the capital of Australia, and since when?"]
    )
    near = LONG.format(17, 40).replace("Monday", "Friday")
    nearer = near + " The barn is red."
    second = run_set(
        tmp_path, "second", [LONG.format(17, 40), "A new one about eleven blue boats on a lake.", nearer],
        earlier=f"[{first}]", more=", threshold: 0.5",
    )  # fmt: skip
    assert pl.read_parquet(second / "signatures.parquet").height == 1
    page = (tmp_path / "data" / "runs" / "second" / "1" / "report.html").read_text()
    assert "Near copies" in page
    assert "The barn is red." in page
    third = run_set(
        tmp_path, "third", ["A new one about ELEVEN blue boats  on a lake"], earlier=f"[{first}, {second}]"
    )
    assert pl.read_parquet(third / "signatures.parquet").height == 0


@pytest.mark.slow
def test_the_report_counts_and_shows_siblings_with_those_of_an_earlier_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    first = run_set(tmp_path, "first", [LONG.format(17, 40)])
    second = run_set(tmp_path, "second", [LONG.format(19, 40)], earlier=f"[{first}]", more=", threshold: 0.5")
    assert pl.read_parquet(second / "signatures.parquet").height == 1
    page = (tmp_path / "data" / "runs" / "second" / "1" / "report.html").read_text()
    assert "of which both stay: 1." in page
    assert "differs in wording" in page


@pytest.mark.slow
def test_the_report_shows_the_column_that_was_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    rows = [{"question": f"Question {n}?", "answer": f"{LONG.format(3, 4)} Reply {n}."} for n in range(2)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "line.yaml").write_text(
        "pipeline: line\nstages:\n"
        "  - {id: given, use: ingest.file, with: {path: rows.jsonl, keep: [answer]}}\n"
        "  - {id: unique, use: dedup.minhash, with: {column: answer, opening: 100}}\n"
    )
    assert main(["run", "line.yaml"]) == 0
    page = (tmp_path / "data" / "runs" / "line" / "1" / "report.html").read_text()
    assert "Reply 0." in page.partition("Near copies")[2]


@pytest.mark.slow
def test_an_index_of_another_make_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    first = run_set(tmp_path, "first", [LONG.format(17, 40)])
    for options, says in (
        ({"earlier": [str(first)], "shingle": 5}, "this stage asks for .*'shingle': 5"),
        ({"earlier": [str(tmp_path)]}, r"has no signatures\.parquet"),
    ):
        with pytest.raises(ConfigError, match=says):
            build(DedupMinhash, options, where="x").stamp()


@pytest.mark.slow
def test_an_earlier_set_never_loses_a_row_to_a_better_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    first = run_set(tmp_path, "first", [LONG.format(17, 40)])
    longer = LONG.format(17, 40) + " Say it."
    decision = decide(
        DedupMinhash,
        [problem("new", longer, gold="5", source="best")],
        earlier=[str(first)],
        prefer_sources=["best"],
    )
    assert gone(decision) == {"new"}
    assert decision.dropped["detail"][0].startswith(f"copy of {first}:")
