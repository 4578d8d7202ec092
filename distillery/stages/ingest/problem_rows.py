"""From anybody's rows to problems: the part that every ingest stage shares.

A row that cannot become a problem is a ledger entry, never an error; a column that no row has is one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, islice
from typing import Annotated, Any, ClassVar

from pydantic import Field

from distillery.records import Columns
from distillery.row_files import Drop, Fault, Row, row_blocks
from distillery.stages.base import Context, Output, Source, computed
from distillery.stages.ingest.in_shards import in_shards
from distillery.stages.ingest.mapping.choices import GoldIs
from distillery.stages.ingest.mapping.kept_types import by_rows, by_schema, undecided
from distillery.stages.ingest.mapping.our_configs import config_of, our_rows
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.row_options import System
from distillery.stages.ingest.mapping.values import Kind

LOOK_AHEAD = 1000  # rows that say which columns there are, and of which type


def shards(
    rows: Iterable[Row], row_map: RowMap, *, shard_rows: int, limit: int | None = None
) -> Iterator[Output]:
    """Tables of `shard_rows` kept rows, at least one, maybe empty; `rows` are (the ledger's key, theirs)."""
    source = iter(rows)
    ahead = list(islice(source, LOOK_AHEAD))
    blocks = row_blocks(chain(ahead, source), LOOK_AHEAD)
    yield from in_shards(blocks, row_map, ahead, shard_rows=shard_rows, limit=limit)


@dataclass(frozen=True, kw_only=True)
class ProblemSource(Source):
    """What the stages share that read anybody's rows."""

    columns: dict[str, str | list[str] | dict[str, str]] = field(default_factory=dict)
    """Our column: theirs; a dot goes into nested values. For `payload` a mapping of keys to columns, for
    `question` also a list, joined by blank lines. Other columns of a problem are those of our name, as far
    as they hold what ours do."""
    constants: dict[str, Any] = field(default_factory=dict)
    """Our column: its value in every row."""
    keep: tuple[str, ...] | dict[str, Kind | None] = ()
    """Further columns to take along, each with its type in the source; {num_tokens: int} says another."""
    gold_pattern: str = ""
    r"""A regex whose group 1 is the gold, as `####\s*(.+)` for GSM8K; "": the whole column."""
    explode: str | tuple[str, ...] | dict[str, tuple[str, ...]] = ()
    """Columns of lists: one row for each element, the lists side by side; `trace_id` is kept with it. Of
    columns that are siblings, {r1: [r1_1, r1_2]} makes such a list, which `columns` then knows as r1."""
    messages: str = ""
    """A column of turns, OpenAI's or ShareGPT's, or a text that begins with "Human:": its last question, what
    was said before in the payload, and the answer as `text`, unless `columns` say where else it stands."""
    system: System = System.KEEP
    """What becomes of the system prompt of `messages`."""
    choices: str | tuple[str, ...] = ()
    """Of multiple choice: a column that lists the choices, or their columns as [A, B, C, D]. They stand
    lettered in the question, and in the payload; the gold is the letter, the checker `choice`."""
    gold_is: GoldIs | None = None
    """What a gold says of `choices`; null: as the first rows tell, which is an error where they do not."""
    thought_tags: tuple[str, ...] = ()
    """Two tags that a response's thought stands between, or four with those around its answer; the usual ones
    are known."""
    shard_rows: Annotated[int, Field(ge=1)] = 1000
    """Rows of a shard."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Problems to take; null: all."""

    version = 6
    reasons = tuple(Drop)
    use: ClassVar[str]

    def __post_init__(self) -> None:
        _ = self._map

    @property
    def _map(self) -> RowMap:
        """Kept columns of which nobody says the type are text."""
        return RowMap(
            self.use,
            self.columns,
            self.constants,
            tuple(self.keep),
            self.gold_pattern,
            (self.explode,) if isinstance(self.explode, str) else tuple(self.explode),
            self.explode if isinstance(self.explode, dict) else {},
            self.messages,
            self.system,
            self.thought_tags,
            (self.choices,) if isinstance(self.choices, str) else self.choices,
            self.gold_is,
            {name: kind for name, kind in self.keep.items() if kind} if isinstance(self.keep, dict) else {},
        )

    @cached_property
    def our_config(self) -> str:
        """Of export.hub, told by its columns where no option but `constants` says how to read them; "":
        none."""
        said = (self.columns, self.keep, self.gold_pattern, self.explode, self.messages, self.choices)
        found = {""} if any(said) or self.thought_tags else self.our_configs()
        return next(iter(found)) if len(found) == 1 else ""

    @computed
    def remark(self) -> str:
        return f"read as the config {self.our_config} of export.hub" if self.our_config else ""

    @property
    def row_map(self) -> RowMap:
        if self.our_config:
            return our_rows(self.our_config, self.use, self.constants)
        row_map = self._map
        if undecided(row_map):
            row_map = _more(row_map, by_schema(row_map, self.schema()))
        return _more(row_map, self.told(row_map)) if undecided(row_map) else row_map

    @computed
    def writes(self) -> Columns:
        return self.row_map.writes

    def our_configs(self) -> set[str]:
        """Of its parts, as far as they have columns of their own."""
        return {config_of(self.schema())}

    def schema(self) -> Columns:
        """As far as the source itself says what its columns hold."""
        return {}

    def told(self, row_map: RowMap) -> Mapping[str, Any]:
        """The types of what is undecided, by the first rows."""
        ahead = (row for _, row in self.rows() if not isinstance(row, Fault))
        return by_rows(row_map, list(islice(ahead, LOOK_AHEAD)))

    @abstractmethod
    def rows(self) -> Iterable[Row]: ...

    def shards(self, ctx: Context) -> Iterator[Output]:
        yield from shards(self.rows(), self.row_map, shard_rows=self.shard_rows, limit=self.limit)


def _more(row_map: RowMap, types: Mapping[str, Any]) -> RowMap:
    return replace(row_map, types={**row_map.types, **types})
