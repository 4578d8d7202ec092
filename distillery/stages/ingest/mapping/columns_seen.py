"""Whether rows have what a mapping names: a path that none has is an error, not a column of nulls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from distillery.config import did_you_mean
from distillery.errors import ConfigError
from distillery.row_files import Drop
from distillery.stages.ingest.mapping.choices import Choices, GoldIs, what_golds_are
from distillery.stages.ingest.mapping.paths import at, exploded, gathered, names, there
from distillery.stages.ingest.mapping.row_map import RowMap
from distillery.stages.ingest.mapping.row_options import FIELDS, RESPONSE, RowOptions
from distillery.stages.ingest.mapping.texts import UnfitError, shown
from distillery.stages.ingest.mapping.values import OURS

Rows = Sequence[Mapping[str, Any]]


class _View:
    """A row with what `explode` makes of it."""

    def __init__(self, row: Mapping[str, Any], options: RowOptions) -> None:
        self._row, self._explode = row, options.explode
        self.fault = ""
        try:
            self._row = gathered(row, options.siblings)
            self.elements: Rows = (
                exploded(row, options.explode, options.siblings) if options.explode else [row]
            )
        except UnfitError as why:
            self.elements, self.fault = [], str(why) if why.reason is Drop.MALFORMED else ""

    def there(self, path: str) -> bool | None:
        if not self._explode or path in self._explode:
            return there(self._row, path)
        found = {there(one, path) for one in self.elements}
        return True if True in found else None if None in found or not found else False


class ColumnsSeen:
    """`ahead` are the first rows. What stands behind a null there may still come: `see` the others too."""

    def __init__(self, options: RowOptions, ahead: Rows) -> None:
        self._options = options
        self._known = sorted({str(name) for row in ahead for name in row})
        self.pending = dict(_needed(options))
        views = [self._view(row) for row in ahead]
        if views and all(view.fault for view in views):
            raise ConfigError(f"{options.where}.{views[0].fault}; so it is in each row that was looked at")
        for place, paths in self.pending.items():
            if self._known and all(view.there(path) is False for view in views for path in paths):
                near = {name for row in ahead[:100] for name in names(row)}
                right = "map text, or reasoning and answer" if place == "keep.text" else ""
                raise ConfigError(self._absent(place, paths, did_you_mean(paths[0], near, right)))
        self._refuse_lists([one for view in views for one in view.elements])
        for view in views:
            self._see(view)

    def see(self, row: Mapping[str, Any]) -> None:
        if self.pending:
            self._see(self._view(row))

    def _see(self, view: _View) -> None:
        for place, paths in [*self.pending.items()]:
            if any(view.there(path) for path in paths):
                del self.pending[place]

    def _view(self, row: Mapping[str, Any]) -> _View:
        return _View(row, self._options)

    def end(self) -> None:
        """Of the whole source, in which some row could be read."""
        for place, paths in self.pending.items():
            if self._known:
                raise ConfigError(self._absent(place, paths, "no row of the whole source has it"))

    def _absent(self, place: str, paths: Sequence[str], more: str) -> str:
        words = f"there is no column {paths[0]!r}; there are: {', '.join(self._known)}"
        return f"{self._options.where}.{place}: {words}{more and f'; {more}'}"

    def _refuse_lists(self, rows: Rows) -> None:
        """Of a column that holds a list of several in every row no row would be left."""
        options = self._options
        for name in (*FIELDS, *(name for name in options.kept if name in OURS)):
            path = options.columns.get(name, name)
            if name == "payload" or not isinstance(path, str) or path not in options.paths(name):
                continue
            lists = [value for row in rows if (value := at(row, path)) is not None]
            if any(_several(value) for value in lists) and all(isinstance(value, list) for value in lists):
                right = f"`explode: [{path}]` makes a row of each element"
                wrong = f"{path!r} is a list in every row: {shown(lists[0])}"
                raise ConfigError(f"{options.where}.columns.{name}: {wrong}; {right}")


def _needed(options: RowOptions) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The place in the options, and paths of which one is to be there."""
    for name in options.columns:
        for path in options.paths(name):
            yield f"columns.{name}" + ("" if path == options.columns[name] else f" ({path})"), (path,)
    for path in (one for name in options.explode for one in options.siblings.get(name, (name,))):
        yield f"explode ({path})", (path,)
    for path in options.choices:
        yield f"choices ({path})", (path,)
    if options.messages:
        yield "messages", (options.messages,)
    yield from _needed_by_name(options, {*options.columns, *options.constants})


def _needed_by_name(options: RowOptions, own: set[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if "question" not in own and not options.messages:
        yield "columns.question", ("question",)
    made = {*RESPONSE, "trace_id", *(["sample"] if options.explode else [])}
    for name in options.keep:
        if name not in own | made:
            yield f"keep.{name}", (name,)
    if options.response == "text" and "text" not in own:
        yield "keep.text", ("text",)
    if options.response == "either":
        for name in {"reasoning", "answer"} & {*options.keep}:
            readable = ("text", name) if name not in options.taken else ("text",)
            yield f"keep.{name}", tuple(one for one in readable if one == name or "text" not in options.taken)


def _several(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 1 and not any(isinstance(one, Mapping) for one in value)


class UntoldGoldError(ConfigError):
    """What the golds say of their choices cannot be told."""


def with_golds_told(row_map: RowMap, ahead: Rows) -> RowMap:
    """`row_map`, with what the golds of the first rows say of their choices."""
    if not row_map.choices or row_map.gold_is:
        return row_map
    pairs: list[tuple[Any, Choices]] = []
    for row in (one for theirs in ahead for one in _View(theirs, row_map).elements):
        try:
            among = row_map.among(row)
            pairs += [(row_map.raw_gold(row), among)] if among else []
        except UnfitError:
            continue  # its place is the ledger
    found = what_golds_are(pairs)
    if found is None or isinstance(found, GoldIs):
        return replace(row_map, gold_is=found)
    raise UntoldGoldError(f"{row_map.where}.gold_is: {found}")
