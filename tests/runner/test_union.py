"""A generator of small lines with several inputs: what of them stands in two, and who reads them together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import permutations
from pathlib import Path
from typing import ClassVar

import polars as pl
import pytest

from distillery import shards
from distillery.errors import ConfigError, ContractError, DistilleryError
from distillery.executors.local import Local
from distillery.pipeline import Plan, Workers, load_plan
from distillery.pipeline.estimate import estimate
from distillery.pipeline.prices import Prices
from distillery.records import Columns
from distillery.report import load_run, render_report
from distillery.runner import Watcher, open_run, run
from distillery.runner.execute import folder_of
from distillery.runner.manifest import check
from distillery.stages.base import Decision, ExportJob, Output, ShardStage, Sink, Source, TableStage, Trainer
from distillery.store.runs import read_run
from tests.inline import Inline

KEYS = ("problem_id", "trace_id", "key")


@dataclass(frozen=True)
class Rows(Source):
    """A row a word of `names`, in shards of two; its text is of its name, and of `says` where that is given."""

    names: str = ""
    says: str = ""
    key: str = "problem_id"
    more: str = ""
    version: ClassVar[int] = 1

    @property
    def writes(self) -> Columns:
        return dict.fromkeys((self.key, "question", "of", *([self.more] if self.more else [])), pl.String())

    def shards(self, ctx) -> Iterator[Output]:
        names = self.names.split()
        for at in range(0, len(names), 2):
            some = names[at : at + 2]
            made = {self.key: pl.Series([None if name == "null" else name for name in some], dtype=pl.String)}
            made |= {"question": [f" {name} {self.says}" for name in some], "of": [self.names] * len(some)}
            yield Output.all_kept(pl.DataFrame(made | {c: some for c in self.writes if c not in made}))


class Drop(StrEnum):
    OUT = "out"
    FIRST = "first"


@dataclass(frozen=True)
class Each(ShardStage):
    """Keeps a row, or drops it if its name is in `out`."""

    out: str = ""
    key: str = "problem_id"
    version: ClassVar[int] = 1
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.OUT,)
    writes: ClassVar[Columns] = {"length": pl.UInt32()}
    broken: ClassVar[list[str]] = []

    def apply(self, table, ctx) -> Output:
        if self.broken and table["question"].str.contains(self.broken[0]).any():
            raise DistilleryError("broke off")
        out = pl.Series("reason", [n if n in self.out.split() else None for n in table[self.key]], pl.String)
        kept = table.with_columns(length=pl.col("question").str.len_chars())
        reasons = pl.Series("reason", [n and Drop.OUT.value for n in out], pl.String)
        return Output.marked(kept, reasons, out, key=self.key)


@dataclass(frozen=True)
class Many(Each):
    """Three rows of each."""

    fan_out: ClassVar[int | None] = 3
    writes: ClassVar[Columns] = {"trace_id": pl.String()}

    def apply(self, table, ctx) -> Output:
        each = pl.concat_list(pl.format("{}-{}", self.key, pl.lit(n)) for n in "xyz")
        return Output.all_kept(
            table.drop("trace_id", strict=False).with_columns(trace_id=each).explode("trace_id")
        )


@dataclass(frozen=True)
class All(TableStage):
    """Keeps all but the first row of a sorted table."""

    key: str = "problem_id"
    version: ClassVar[int] = 1
    also_reads: ClassVar[tuple[str, ...]] = ()
    reasons: ClassVar[tuple[StrEnum, ...]] = (Drop.FIRST,)

    def sketch(self, table, ctx):
        return table.select(self.key)

    def decide(self, sketches, ctx) -> Decision:
        first = sketches.sort(self.key).head(1)
        return Decision(first.select(key=self.key, reason=pl.lit("first"), detail=pl.lit("")))


@dataclass(frozen=True)
class Fixed(ShardStage):
    """Keeps all rows; nobody chooses its key."""

    key: ClassVar[str] = "problem_id"
    version: ClassVar[int] = 1

    def apply(self, table, ctx) -> Output:
        return Output.all_kept(table)


@dataclass(frozen=True)
class Learn(Trainer):
    """A model that is its rows' names."""

    model: dict[str, str] | None = field(default=None, metadata={"identity": None})
    version: ClassVar[int] = 1

    @property
    def starts_from(self):
        return self.model

    def train(self, job) -> dict[str, float]:
        job.out.mkdir(parents=True)
        assert (self.model is None) == (job.model is None)
        (job.out / "names.json").write_text(json.dumps(read_names(job.tables)))
        return {}


@dataclass(frozen=True)
class Publish(Sink):
    """A folder with its rows' names; `raw` names a table that goes along."""

    raw: str = ""
    version: ClassVar[int] = 1

    def export(self, job: ExportJob) -> dict[str, float]:
        job.out.mkdir(parents=True)
        (job.out / "names.json").write_text(json.dumps(read_names(job.tables)))
        return {}


@dataclass(frozen=True)
class PublishTraces(Publish):
    reads: ClassVar[tuple[str, ...]] = ("trace_id",)


TOYS = {
    "rows": Rows,
    "each": Each,
    "many": Many,
    "all": All,
    "fixed": Fixed,
    "learn": Learn,
    "publish": Publish,
    "publish.traces": PublishTraces,
}


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    from distillery.pipeline import load

    known = load.stage_class
    monkeypatch.setattr(load, "stage_class", lambda use, where: TOYS.get(use) or known(use, where=where))
    monkeypatch.setattr(Each, "broken", [])


def read_names(files) -> list[str]:
    tables = [shards.read(file) for file in files]
    return [
        str(row.get("trace_id") or row.get("problem_id") or row["key"])
        for t in tables
        for row in t.to_dicts()
    ]


def planned(folder: Path, stages: list[str], name: str = "toy.yaml", **options) -> Plan:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("stages:\n" + "".join(f"  - {{{stage}}}\n" for stage in stages))
    return load_plan(folder / name, **options)


def done(folder: Path, plan: Plan, executor=None) -> Path:
    record = open_run(plan, folder / "runs")
    run(plan, store=folder / "store", record=record, executor=executor or Inline(), watcher=Watcher())
    return record.path


def table(folder: Path, plan: Plan, step: str) -> pl.DataFrame:
    return pl.concat(shards.read(file) for file in folder_of(plan.step(step), folder / "store").shards())


def ledger(folder: Path, plan: Plan, step: str) -> list[tuple[str, str, str]]:
    return folder_of(plan.step(step), folder / "store").ledger().rows()


def source(name: str, names: str, **options: str) -> str:
    return f"id: {name}, use: rows, with: {json.dumps({'names': names, **options})}"


INPUTS = {"a": "p1 p2 p3 p4 p5", "b": "p9 p2 p8 p4", "c": "p8 p7 p1"}


@pytest.mark.parametrize("order", list(permutations(INPUTS)), ids="".join)
@pytest.mark.parametrize("use", ["each", "many", "all", "learn", "publish"])
@pytest.mark.parametrize("heavy", [False, True], ids=["light", "heavy"])
def test_every_row_of_every_input_is_kept_or_in_a_ledger_and_the_order_of_from_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: tuple[str, ...], use: str, heavy: bool
):
    monkeypatch.setattr("distillery.runner.rows.HEAVY", 0 if heavy else 1 << 40)
    sources = [source(name, names) for name, names in INPUTS.items()]
    plan = planned(tmp_path, [*sources, f"id: end, use: {use}, from: [{', '.join(order)}]"])
    folder = done(tmp_path, plan)
    owner: dict[str, str] = {}
    repeated: list[tuple[str, str, str]] = []
    for name in order:
        for row in INPUTS[name].split():
            if row in owner:
                repeated.append((row, "repeated", f"first in {owner[row]}"))
            else:
                owner[row] = name
    assert ledger(tmp_path, plan, "end.inputs") == repeated
    united = table(tmp_path, plan, "end.inputs")
    assert united["problem_id"].to_list() == list(owner)
    assert united["of"].to_list() == [INPUTS[name] for name in owner.values()]
    counts = {step["id"]: step for step in json.loads((folder / "results.json").read_text())["stages"]}
    assert counts["end.inputs"]["rows_in"] == sum(len(names.split()) for names in INPUTS.values())
    assert counts["end.inputs"]["rows_dropped"] == len(repeated)
    assert counts["end"]["rows_in"] == len(owner)
    out, dropped = {"each": (8, 0), "many": (24, 0), "all": (7, 1), "learn": (0, 0), "publish": (8, 0)}[use]
    assert (counts["end"]["rows_out"], counts["end"]["rows_dropped"]) == (out, dropped)
    if use in ("learn", "publish"):
        end = folder_of(plan.step("end"), tmp_path / "store")
        made = (end.model if use == "learn" else end.path / "out") / "names.json"
        assert json.loads(made.read_text()) == list(owner)


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_known_by_trace_id_or_by_the_key_of_the_stage_that_reads_them(tmp_path: Path, key: str):
    more = "problem_id" if key != "problem_id" else ""
    inputs = [source(name, names, key=key, more=more) for name, names in (("a", "x y"), ("b", "y z"))]
    own = ", with: {key: key}" if key == "key" else ""
    plan = planned(tmp_path, [*inputs, f"id: end, use: each, from: [a, b]{own}"])
    assert plan.step("end.inputs").row_stage.key == key
    done(tmp_path, plan)
    assert ledger(tmp_path, plan, "end.inputs") == [("y", "repeated", "first in a")]


def test_a_step_with_a_model_and_tables_sees_each_row_once(tmp_path: Path):
    stages = [source("a", "x y"), source("b", "y z"), "id: base, use: learn, from: a"]
    plan = planned(tmp_path, [*stages, "id: tuned, use: learn, from: [b, a], with: {model: {from: base}}"])
    done(tmp_path, plan)
    made = folder_of(plan.step("tuned"), tmp_path / "store").model / "names.json"
    assert json.loads(made.read_text()) == ["y", "z", "x"]


def test_an_input_may_be_a_union_itself_and_stand_in_another_file(tmp_path: Path):
    guest = [source("a", "x y"), source("b", "y z"), "id: both, use: each, from: [a, b], with: {out: x}"]
    planned(tmp_path, guest, "guest.yaml")
    host = [source("c", "z q x"), 'id: end, use: each, from: ["guest.yaml#both", c, "guest.yaml#a"]']
    plan = planned(tmp_path, host)
    assert plan.step("end.inputs").parents == ("guest/both", "c", "guest/a")
    assert plan.step("guest/both").parents == ("guest/both.inputs",)
    done(tmp_path, plan)
    assert table(tmp_path, plan, "end")["problem_id"].to_list() == ["y", "z", "q", "x"]
    assert ledger(tmp_path, plan, "end.inputs") == [
        ("z", "repeated", "first in guest/both"),
        ("x", "repeated", "first in c"),
        ("y", "repeated", "first in guest/both"),
    ]


def test_a_limit_is_of_each_source_and_the_union_is_of_what_is_left(tmp_path: Path):
    stages = [source(name, names) for name, names in INPUTS.items()]
    plan = planned(tmp_path, [*stages, "id: end, use: each, from: [a, b, c]"], limit=2)
    done(tmp_path, plan)
    assert table(tmp_path, plan, "end")["problem_id"].to_list() == ["p1", "p2", "p9", "p8", "p7"]
    assert [key for key, _, _ in ledger(tmp_path, plan, "end.inputs")] == ["p2"]


def test_two_steps_that_read_the_same_inputs_share_their_union(tmp_path: Path):
    stages = [source("a", "x y"), source("b", "y z"), "id: one, use: each, from: [a, b]"]
    plan = planned(
        tmp_path, [*stages, "id: two, use: all, from: [a, b]", "id: other, use: all, from: [b, a]"]
    )
    parents = {step.id: step.parents for step in plan.steps}
    assert (parents["two"], parents["other"]) == (("one.inputs",), ("other.inputs",))


def test_a_union_that_a_file_names_is_the_one_that_would_stand_there(tmp_path: Path):
    stages = [source("a", "x y"), source("b", "y z")]
    named = planned(tmp_path, [*stages, "id: both, use: mix.union, from: [a, b]", "id: end, use: each"])
    assert [step.id for step in named.steps] == ["a", "b", "both", "end"]
    unnamed = planned(tmp_path, [*stages, "id: end, use: each, from: [a, b]"])
    assert named.step("end").fingerprint == unnamed.step("end").fingerprint


def test_a_step_with_one_input_has_no_union(tmp_path: Path):
    plan = planned(tmp_path, [source("a", "x y"), "id: one, use: each, from: [a]", "id: two, use: all"])
    assert [step.id for step in plan.steps] == ["a", "one", "two"]


def test_without_an_id_in_common_no_row_can_be_repeated(tmp_path: Path):
    stages = [source("a", "x y"), source("b", "y z", key="document_id"), "id: end, use: learn, from: [a, b]"]
    assert planned(tmp_path, stages).step("end").parents == ("a", "b")


A, B, OTHER = source("a", "x y z"), source("b", "y z"), source("c", "z", key="document_id")


@pytest.mark.parametrize(
    ("stages", "says"),
    [
        ([A, "id: end, use: each, from: [a, a]"], "from: names 'a' twice"),
        ([A, "id: end, use: mix.union"], "from: is a; a union is of several"),
        ([A, OTHER, "id: end, use: each, from: [a, c]"], "from: 'c' has no problem_id, which names a row"),
        ([A, OTHER, "id: end, use: mix.union, from: [a, c]"], "a and c share none of trace_id, problem_id"),
        ([A, B, "id: end, use: mix.union, from: [a, b], with: {key: of_it}"], "from: 'a' has no of_it"),
        ([A, B, source("end.inputs", ""), "id: end, use: each, from: [a, b]"], "a stage is called so"),
    ],
)
def test_inputs_that_cannot_be_one_table_are_refused_before_anything_runs(tmp_path: Path, stages, says: str):
    with pytest.raises(ConfigError, match=says):
        planned(tmp_path, stages)


MIXED = "give b a trace_id too .keep: .trace_id.., or take one row of each problem_id"


@pytest.mark.parametrize(
    ("first", "says"),
    [
        (
            source("a", "x y x"),
            "problem_id 'x' names 2 rows of its input 'a'; the stage that makes its rows",
        ),
        (source("a", "x y null"), "1 of 1 rows of 'a' in .* have no problem_id"),
        (source("a", "x y x", more="trace_id"), MIXED),
    ],
)
def test_an_input_whose_rows_have_no_id_of_their_own_is_an_error(tmp_path: Path, first: str, says: str):
    plan = planned(tmp_path, [first, B, "id: end, use: each, from: [a, b]"])
    with pytest.raises(ConfigError, match=f"end.inputs: .*{says}"):
        done(tmp_path, plan)


def test_different_rows_of_one_id_are_told_apart_and_said_loudly(tmp_path: Path):
    stages = [source("a", "1 2 3", key="trace_id"), source("b", "1 2 4", key="trace_id", says="else")]
    stages += [
        source("c", "3 1", key="trace_id"),
        "id: end, use: each, from: [a, b, c], with: {key: trace_id}",
    ]
    plan = planned(tmp_path, stages)
    alarm = (
        "2 rows of `b` have the id of another row of `a`; left out: trace_id '1' is ' 1 ' there and"
        " ' 1 else' here; leave trace_id unmapped and it is made from the content"
    )
    for _ in range(2):  # a run that finds the union done says it again
        folder = done(tmp_path, plan)
        events = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
        assert [event["text"] for event in events if event["event"] == "alarm"] == [alarm]
        (folder / "log.jsonl").unlink()
    assert ledger(tmp_path, plan, "end.inputs") == [
        ("1", "id_taken", "first in a"),
        ("2", "id_taken", "first in a"),
        ("3", "repeated", "first in a"),
        ("1", "repeated", "first in a"),
    ]
    facts = folder_of(plan.step("end.inputs"), tmp_path / "store").done().facts
    assert facts["inputs"]["b"] == {"rows": 3, "repeated": 0, "id_taken": 2}
    assert "end.inputs: 2 rows of `b` have the id" in render_report(load_run(folder, tmp_path / "store"))


def test_two_texts_for_one_question_are_told_to_have_ids_of_their_own(tmp_path: Path):
    texts = [json.dumps({"question": "What is 2+2?", "gold": "4", "text": text}) for text in ("four", "4")]
    for name, row in zip("ab", texts, strict=True):
        (tmp_path / f"{name}.jsonl").write_text(row)
    inputs = [f"id: {n}, use: ingest.file, with: {{path: {tmp_path}/{n}.jsonl, keep: [text]}}" for n in "ab"]
    plan = planned(tmp_path, [*inputs, "id: end, use: all, from: [a, b]"])
    done(tmp_path, plan)
    (alarm,) = folder_of(plan.step("end.inputs"), tmp_path / "store").done().facts["alarms"]
    assert alarm.startswith("1 row of `b` has the id of another row of `a`; left out: problem_id")
    assert alarm.endswith(
        "is 'four' there and '4' here; keep trace_id where the rows are read, and it is made from the content"
    )


@pytest.mark.parametrize(
    ("end", "more", "error", "says"),
    [
        (
            "use: all",
            "",
            ConfigError,
            "end.key: .*its input .a.; twice there: 'x'; name a column that does; or a",
        ),
        (
            "use: all",
            "trace_id",
            ConfigError,
            "name a column that does, such as trace_id; or a stage that makes",
        ),
        ("use: fixed", "trace_id", ConfigError, "it takes one row of each problem_id, as select.traces"),
        ("use: fixed", "", ContractError, "a stage that makes rows must give each an id of its own"),
    ],
)
def test_an_id_that_stands_twice_in_the_only_input_is_an_error(tmp_path: Path, end, more, error, says):
    plan = planned(tmp_path, [source("a", "x x", more=more), f"id: end, {end}"])
    with pytest.raises(error, match=says):
        done(tmp_path, plan)


def test_spaces_around_a_text_and_columns_that_one_side_lacks_make_no_other_row(tmp_path: Path):
    stages = [
        source("a", "x y"),
        source("b", "x z", says="  ", more="text"),
        "id: end, use: all, from: [a, b]",
    ]
    plan = planned(tmp_path, stages)
    done(tmp_path, plan)
    assert ledger(tmp_path, plan, "end.inputs") == [("x", "repeated", "first in a")]


@pytest.mark.parametrize("heavy", [0, 1 << 40])
def test_a_line_that_was_broken_off_comes_out_as_one_that_was_not(tmp_path: Path, monkeypatch, heavy: int):
    monkeypatch.setattr("distillery.runner.rows.HEAVY", heavy)
    stages = [source(name, names) for name, names in INPUTS.items()]
    stages += ["id: end, use: each, from: [c, a, b]", "id: last, use: all"]
    whole, broken = (planned(tmp_path / name, stages) for name in ("whole", "broken"))
    done(tmp_path / "whole", whole)
    Each.broken.append("p9")
    with pytest.raises(DistilleryError, match="broke off"):
        done(tmp_path / "broken", broken)
    Each.broken.clear()
    united = folder_of(broken.step("end.inputs"), tmp_path / "broken" / "store")
    (united.path / "stage.json").unlink()
    for shard in (1, 3):
        united.shard(shard).unlink()
    kept = united.shard(2).stat().st_mtime_ns
    done(tmp_path / "broken", broken)
    assert united.shard(2).stat().st_mtime_ns == kept
    for step in ("end.inputs", "end", "last"):
        assert table(tmp_path / "broken", broken, step).equals(table(tmp_path / "whole", whole, step))
        assert ledger(tmp_path / "broken", broken, step) == ledger(tmp_path / "whole", whole, step)


def test_texts_are_not_written_again_and_only_what_is_shared_is_read(tmp_path: Path, monkeypatch):
    seen: list[list[str] | None] = []
    read = shards.read
    monkeypatch.setattr(
        "distillery.runner.union.shards.read", lambda f, c=None: (seen.append(c), read(f, c))[1]
    )
    plan = planned(tmp_path, [source("a", "x y"), source("b", "z"), "id: both, use: mix.union, from: [a, b]"])
    done(tmp_path, plan)
    assert {name for columns in seen for name in columns} == {"problem_id"}
    files = folder_of(plan.step("both"), tmp_path / "store").shards()
    assert [set(pl.read_parquet_schema(file)) for file in files] == [{"_row"}] * 2


def test_what_is_planned_and_what_a_manifest_counts_add_up(tmp_path: Path):
    stages = [f"{source('a', 'x y')}, expect: {{rows: 100}}", f"{source('b', 'y z')}, expect: {{rows: 50}}"]
    plan = planned(tmp_path, [*stages, "id: end, use: each, from: [a, b], expect: {keep: 0.5}"])
    planning = {step.id: step for step in estimate(plan, store=None, prices=Prices())}
    assert [(s.rows, s.at_most) for s in planning.values()] == [
        (100, False),
        (50, False),
        (150, False),
        (75, False),
    ]
    assert planning["end.inputs"].disk_bytes == 0
    folder = done(tmp_path, plan)
    measured = {step.id: step for step in estimate(plan, store=tmp_path / "store", prices=Prices())}
    assert (measured["end.inputs"].rows, measured["end"].rows) == (3, 3)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert [found.faults for found in check(manifest, tmp_path / "store")] == [()] * 4
    assert [step["id"] for step in read_run(folder)["steps"]] == ["a", "b", "end.inputs", "end"]


@pytest.mark.parametrize(
    ("end", "says"),
    [
        ("from: a", "its input: 2 rows have the trace_id of another, as 'x'"),
        ("from: b, with: {raw: a}", "raw: a: 2 rows have the trace_id of another, as 'x'"),
        ("from: c", "its input: 1 of 2 rows have no trace_id"),
    ],
)
def test_an_export_of_rows_without_an_id_of_their_own_fails_before_it_writes(tmp_path: Path, end, says):
    inputs = (("a", "x y z x x"), ("b", "x y"), ("c", "x null"))
    made = [source(name, names, key="trace_id") for name, names in inputs]
    plan = planned(tmp_path, [*made, f"id: end, use: publish.traces, {end}"])
    with pytest.raises(ConfigError, match=f"end .publish.traces.: {says}"):
        done(tmp_path, plan)
    assert not (folder_of(plan.step("end"), tmp_path / "store").path / "out").exists()


def test_several_workers_see_each_row_once(tmp_path: Path):
    for name, numbers in (("a", range(30)), ("b", range(20, 50))):
        rows = [json.dumps({"question": f"What is {n} + {n}?", "gold": str(2 * n)}) for n in numbers]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(rows))
    inputs = [f"id: {n}, use: ingest.file, with: {{path: {tmp_path}/{n}.jsonl, shard_rows: 7}}" for n in "ab"]
    plan = planned(
        tmp_path, [*inputs, "id: gold, use: verify.gold, from: [b, a]", "id: unique, use: dedup.exact"]
    )
    done(tmp_path, plan, Local(Workers(jobs=2, threads=1)))
    assert (
        table(tmp_path, plan, "gold")["problem_id"].n_unique() == table(tmp_path, plan, "gold").height == 50
    )
    assert len(ledger(tmp_path, plan, "gold.inputs")) == 10
