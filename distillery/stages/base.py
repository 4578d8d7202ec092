"""What a stage is: a frozen dataclass of options that turns tables into a table, or into a model.

Three kinds: `Source` (nothing -> table), a table stage (`ShardStage` or `TableStage`: table -> table) and
`Trainer` (tables + model -> model). A stage gets a `Context` and nothing else: no globals, no clock.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import polars as pl

from distillery.records import LEDGER, Columns, empty

if TYPE_CHECKING:
    from distillery.engines import Engine, Reply, Request
    from distillery.hashing import Json
    from distillery.prompts import Prompt


_PAUSE_S = 0.01  # between two looks at what is being weighed


class Scope(StrEnum):
    SHARD = "shard"  # each shard alone: resumed, parallelised and distributed by shard
    TABLE = "table"  # decides over all rows, in two steps, from small sketches of each shard


@dataclass(frozen=True, slots=True)
class Output:
    """A shard's result. Every key that came in is in `kept` or in `dropped`."""

    kept: pl.DataFrame
    dropped: pl.DataFrame  # columns LEDGER: key, reason, detail
    metrics: dict[str, float] = field(default_factory=dict)  # counts that add up over shards

    @classmethod
    def all_kept(cls, table: pl.DataFrame) -> Output:
        return cls(table, empty(LEDGER))

    @classmethod
    def marked(cls, table: pl.DataFrame, reasons: pl.Series, details: pl.Series, *, key: str) -> Output:
        """From one reason a row (null = keep); the table keeps all its columns, a `detail` of its own too."""
        out = reasons.is_not_null()
        ledger = {"key": table[key].cast(pl.String), "reason": reasons, "detail": details.fill_null("")}
        return cls(table.filter(~out), pl.DataFrame(ledger, schema=dict(LEDGER)).filter(out))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a TABLE stage decides from all sketches; the runner applies it shard by shard."""

    dropped: pl.DataFrame  # columns LEDGER
    added: pl.DataFrame | None = None  # the key column and exactly the columns of `writes`
    metrics: tuple[dict[str, Any], ...] = ()  # rows for results.json: bench, metric, value, stderr, ...
    facts: dict[str, Any] = field(default_factory=dict)  # for the report: clusters, quotas, histograms


class Context(Protocol):
    """All a stage may reach besides its table."""

    @property
    def seed(self) -> int: ...
    def engine(self, name: str) -> Engine: ...
    def prompt(self, name: str) -> Prompt: ...
    def progress(self, **counts: float) -> None:
        """Adds to the counters people watch: rows, tokens, accepted, truncated."""
        ...

    def alarm(self, text: str) -> None:
        """Says loudly what a person should look at; the run goes on."""
        ...


class Step(Protocol):
    """What every stage declares."""

    version: ClassVar[int]  # raise it when equal input would give different output


class Source(Step, Protocol):
    """The first stage: it has no input table, and says what outside bytes it stands on."""

    @property
    def writes(self) -> Columns: ...
    def stamp(self) -> Json: ...
    def shards(self, ctx: Context) -> Iterator[Output]:
        """The same shards, in the same order, each time: a resumed run skips those on disk."""
        ...


@runtime_checkable
class ShardStage(Step, Protocol):
    """With `also_reads`, the optional columns that it uses where they are there, it is shown those, `reads` and the key;
    without, all columns. What it keeps of the rest is taken from its input."""

    key: ClassVar[str]  # the column that names an input row, for conservation

    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def writes(self) -> Columns: ...
    def uses(self) -> dict[str, tuple[str, ...]]:
        """Engines and prompts it depends on: {"engine": (names), "prompt": (names)}."""
        ...

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output: ...


class Interview(Protocol):
    """What a stage asks of an engine about one shard. The runner carries requests there and replies back.

    Used from one thread. What it asks next may depend on what it heard, never on the order in which it heard it.
    """

    def due(self) -> Request | None:
        """The next request that can be asked now; None: nothing at the moment."""
        ...

    def hear(self, reply: Reply) -> None: ...
    @property
    def finished(self) -> bool:
        """Nothing is left to ask, and all that was asked was heard and weighed."""
        ...

    def output(self) -> Output: ...
    def close(self) -> None: ...


def ask_alone(interview: Interview, engine: Engine) -> Output:
    """One interview with an engine to itself; the runner's `Conversation` holds many at once."""

    def feed() -> Iterator[Request | None]:
        while not interview.finished:
            yield interview.due()

    try:
        for replies in engine.batches(feed()):
            for reply in replies:
                interview.hear(reply)
            if not replies and not interview.finished:
                time.sleep(_PAUSE_S)
        return interview.output()
    finally:
        interview.close()


@runtime_checkable
class AskingStage(ShardStage, Protocol):
    """A shard stage that asks one engine, the first that `uses` names. Its shards overlap: no barrier between them."""

    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview: ...


@runtime_checkable
class TableStage(Step, Protocol):
    """`sketch` runs on each shard and keeps only what `decide` needs: keys, signatures, counts, never texts.

    A sketch has one row for each row that came in, with its key in a column `key` or of the key's own name.
    """

    key: ClassVar[str]

    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def writes(self) -> Columns: ...
    def stamp(self) -> Json:
        """Outside bytes it stands on (benchmark files, an index); None when there are none."""
        ...

    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame: ...
    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        """From all sketches, out of which it may take large columns (`drop_in_place`), but not the keys."""
        ...


@dataclass(frozen=True, slots=True)
class EngineJob:
    """An engine that another process opens for itself."""

    kind: str
    options: Mapping[str, Any]
    identity: Json


@dataclass(frozen=True, slots=True)
class TrainJob:
    """Where a trainer finds its inputs and leaves its results."""

    tables: Sequence[Path]  # parquet shards, in order
    model: Path | None  # the Hugging Face folder it starts from
    work: Path  # checkpoints, metrics.jsonl
    out: Path  # the finished model folder; appears by rename
    seed: int
    threads: int | None
    engines: Mapping[str, EngineJob] = field(default_factory=dict[str, EngineJob])  # those that `uses` names
    prompts: Mapping[str, Prompt] = field(default_factory=dict[str, "Prompt"])


@runtime_checkable
class Trainer(Step, Protocol):
    """Tables and a model in, a model out; the work happens in a process of its own."""

    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def starts_from(self) -> Any:
        """A model reference as in YAML: a path, a hub id, {"from": stage id}; None = from nothing."""
        ...

    def stamp(self) -> Json:
        """Outside bytes it stands on, such as a chat template; None when there are none."""
        ...

    def train(self, job: TrainJob) -> dict[str, float]:
        """Returns summary metrics; raises TrainingError-like DistilleryError with the end of the log."""
        ...


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What a sink writes out, and all it may say about how that came to be."""

    tables: Sequence[Path]  # parquet shards of its parent, in order
    ledger: Sequence[Path]  # dropped-*.parquet of every ancestor, in the order of the line
    history: Sequence[dict[str, Any]]  # stage.json of every ancestor, in the order of the line
    pipeline: str  # the resolved pipeline, as YAML
    out: Path  # the finished folder; appears by rename
    seed: int
    raw: Sequence[Path] | None = None  # shards of the stage that the option `raw` names


@runtime_checkable
class Sink(Step, Protocol):
    """The last stage of a line: a table in, a folder for other people out. Its option `raw` may name a stage."""

    @property
    def reads(self) -> tuple[str, ...]: ...
    @property
    def raw(self) -> str: ...
    def export(self, job: ExportJob) -> dict[str, float]:
        """Returns counts for the report; run again on a finished folder, it only does what is still owed."""
        ...
