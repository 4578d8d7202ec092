"""What a stage is: a frozen dataclass of options that turns tables into a table, a model or a folder.

Five kinds, each a base class with one or two methods to fill in: `Source`, `ShardStage` (with `AskingStage`),
`TableStage`, `Trainer` and `Sink`. A stage gets a `Context` and nothing else: no globals, no clock.
`UnionStage` is what the runner makes of several inputs; nobody fills anything in.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, TypeVar, cast

import polars as pl

from distillery.engines.base import Sampling
from distillery.records import LEDGER, Columns, empty

if TYPE_CHECKING:
    from distillery.engines import Engine, Reply, Request
    from distillery.hashing import Json
    from distillery.prompts import Prompt
    from distillery.stages.note import Note

_PAUSE_S = 0.01  # between two looks at what is being weighed

T = TypeVar("T")
ModelReference = str | dict[str, str]
"""As in YAML: a path, a hub id, or {"from": stage id}."""


class Kind(StrEnum):
    SOURCE = "source"
    SHARD = "shard"  # each shard alone: resumed, parallelised and distributed by shard
    TABLE = "table"  # decides over all rows, in two steps, from small sketches of each shard
    TRAINER = "trainer"
    SINK = "sink"


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

    def alarm(self, text: str) -> None:
        """Says loudly what a person should look at; the run goes on."""


class Interview(Protocol):
    """What a stage asks of an engine about one shard. The runner carries requests there and replies back.

    Used from one thread. What it asks next may depend on what it heard, never on the order of that.
    """

    def due(self) -> Request | None:
        """The next request that can be asked now; None: nothing at the moment."""

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


def computed(method: Callable[[Any], T]) -> T:
    """What a stage declares by its options, where no constant would do: a property, typed as its value."""
    return cast("T", property(method))


class Uses(NamedTuple):
    """What a stage depends on besides its input, by name; the first engine is the one that it asks."""

    engines: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()


class Stage(ABC):
    """What every stage declares."""

    kind: ClassVar[Kind]
    version: ClassVar[int]
    """Raise it when equal input would give different output."""
    reads: tuple[str, ...] = ()
    """Columns of its input that it cannot do without."""
    reasons: ClassVar[tuple[StrEnum, ...]] = ()
    """Why it may drop a row; the docstring below each member says what it means."""

    def uses(self) -> Uses:
        return Uses()

    def stamp(self) -> Json:
        """Outside bytes it stands on (input files, benchmarks, a chat template); None when there are none."""
        return None

    def code(self) -> tuple[str, ...]:
        """Python of the user's own that it runs, `module:name`: its source is part of the fingerprint."""
        return ()


class Source(Stage):
    """The first stage: it has no input table."""

    kind = Kind.SOURCE
    writes: Columns
    limit: int | None = None
    """Of its rows; None: all."""
    remark: str = ""
    """What whoever plans or runs it is to know."""

    @abstractmethod
    def shards(self, ctx: Context) -> Iterator[Output]:
        """The same shards, in the same order, each time: a resumed run skips those on disk."""

    def expected_rows(self) -> int | None:
        """Before any limit, as far as that can be told without making them; None: unknown."""
        return None


class RowStage(Stage):
    """A stage that keeps or drops the rows of a table, and may add columns to them."""

    key: str = "trace_id"
    """The column that names an input row, for conservation."""
    writes: Columns = {}
    also_reads: tuple[str, ...] | None = None
    """Columns that it uses where they are there: it is shown those, `reads` and the key, and what it keeps of
    the rest is taken from its input. None: it is shown all columns."""
    may_drop: ClassVar[bool] = True
    """False: every row that comes in goes out."""

    def most_rows(self, rows: float, problems: float | None) -> float:
        """Rows that its own options let out, of so many rows and problems that come in."""
        return rows


class ShardStage(RowStage):
    kind = Kind.SHARD
    fan_out: int | None = None
    """Rows kept or dropped for each that came in; 0: as many as it takes, one at least; None: no new ones."""

    @abstractmethod
    def apply(self, table: pl.DataFrame, ctx: Context) -> Output: ...


class AskingStage(ShardStage):
    """A shard stage that asks one engine, the first that it uses; no barrier stands between its shards."""

    engine: str
    prompt: str
    sampling: Sampling
    votes: int = 1  # requests about one matter

    @computed
    def requests_a_row(self) -> int:
        """Of a row that it asks about, at most."""
        return self.votes

    def uses(self) -> Uses:
        return Uses((self.engine,), (self.prompt,))

    @abstractmethod
    def interview(self, table: pl.DataFrame, ctx: Context) -> Interview: ...

    def apply(self, table: pl.DataFrame, ctx: Context) -> Output:
        return ask_alone(self.interview(table, ctx), ctx.engine(self.engine))


class TableStage(RowStage):
    """`sketch` runs on each shard and keeps only what `decide` needs: keys, signatures, counts, never texts.

    A sketch has one row for each row that came in, with its key in a column `key` or of the key's own name.
    """

    kind = Kind.TABLE

    @abstractmethod
    def sketch(self, table: pl.DataFrame, ctx: Context) -> pl.DataFrame: ...

    @abstractmethod
    def decide(self, sketches: pl.DataFrame, ctx: Context) -> Decision:
        """From all sketches, out of which it may take large columns (`drop_in_place`), but not the keys."""


class UnionStage(RowStage):
    """Several tables as one, each id once: the runner's own work, before any other stage sees the rows."""

    kind = Kind.TABLE


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
    chat_template: str = ""  # its text; "": the model's own


class Trainer(Stage):
    """Tables and a model in, a model out; the work happens in a process of its own."""

    kind = Kind.TRAINER
    starts_from: ModelReference | None = None
    """None: from nothing."""
    chat_template: str = ""
    """A file in prompts/templates/, whose text the job has; "": none."""

    @abstractmethod
    def train(self, job: TrainJob) -> dict[str, float]:
        """Returns summary metrics; raises TrainingError-like DistilleryError with the end of the log."""


@dataclass(frozen=True, slots=True)
class ExportJob:
    """What a sink writes out, and all it may say about how that came to be."""

    tables: Sequence[Path]  # parquet shards of its parent, in order
    ledger: Sequence[Path]  # dropped-*.parquet of every ancestor, in the order of the line
    history: Sequence[Note]  # of every ancestor, in the order of the line
    pipeline: str  # the line that leads here, as YAML, without what is this machine's own
    out: Path  # the finished folder; appears by rename
    seed: int
    raw: Sequence[Path] | None = None  # shards of the stage that the option `raw` names
    private: Sequence[
        str
    ] = ()  # texts that must not leave: folders and hosts of this machine, options left out


class Sink(Stage):
    """The last stage of a line: a table in, a folder for other people out."""

    kind = Kind.SINK
    raw: str = ""
    """Id of a stage whose table goes along; "": none."""

    @abstractmethod
    def export(self, job: ExportJob) -> dict[str, float]:
        """Returns counts for the report; run again on a finished folder, it only does what is still owed."""


AnyStage = Source | ShardStage | TableStage | UnionStage | Trainer | Sink
