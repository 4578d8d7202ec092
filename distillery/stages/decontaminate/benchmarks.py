"""Questions to keep out of a training set, from files or the hub; and what of them could not be had."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from distillery.errors import ConfigError
from distillery.hashing import Json, sha256
from distillery.hub import load_split, offline_where_no_hub_answers
from distillery.installed.word_lists import word_lists
from distillery.row_files import ENDINGS, Fault, files, read

_AGAINST = "decontamination.against"
_COLUMNS = "question", "problem", "prompt", "text", "Question", "question_content"  # of files of a known name


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Questions to keep out: files, or one split of a data set on the hub. Pin the revision of the latter."""

    path: str = ""
    """A file, a folder or a pattern, as of ingest.file. "": `hub` names it."""
    hub: str = ""
    """Instead of a path, a data set as on the hub: openai/gsm8k."""
    config: str | None = None
    """Of the hub's data set; null: its only or default one."""
    split: str = "test"
    """Of the hub's data set."""
    revision: str | None = None
    """A commit, tag or branch of the hub's data set; null: the newest."""
    data_files: tuple[str, ...] = ()
    """Files of the hub's data set, where its own list of them is not wanted."""
    column: str = "question"
    """The column with the questions; "": the first of question, problem, prompt, text that is there."""
    name: str = ""
    """What the ledger and the data card call it; "": as the file or the data set."""
    optional: bool = False
    """If it cannot be had, an alarm and the data card say so, and the run goes on; false: it stops."""

    def __post_init__(self) -> None:
        if bool(self.path) == bool(self.hub):
            raise ValueError("a benchmark has either a path or a hub name, and not both")

    @property
    def stamp(self) -> Json:
        if self.hub:
            known = ["hub", self.hub, self.config, self.split, self.revision]
            return [*known, list(self.data_files)] if self.data_files else known
        return [sha256(file) for file in self.files()]

    def files(self) -> list[Path]:
        try:
            return files(self.path, where=_AGAINST)
        except ConfigError:
            if self.optional:
                return []
            raise


class Question(NamedTuple):
    bench: str
    row: int  # from 1
    text: str

    @property
    def place(self) -> str:
        return f"{self.bench}:{self.row}"


class Benchmarks(NamedTuple):
    questions: list[Question]
    missing: dict[str, str]  # optional ones, and why they could not be had
    unsaid: list[str]  # what no alarm has told yet


def default_benches(folder: str) -> tuple[Bench, ...]:
    """The list that is known here; a file of a benchmark's name in `folder` stands for the hub."""
    if folder and not Path(folder).is_dir():
        raise ConfigError(f"decontamination.folder: there is no folder {folder} (in {Path.cwd()})")
    there = {
        file.name.removesuffix(ending): str(file)
        for file in (sorted(Path(folder).iterdir()) if folder else ())
        for ending in ENDINGS
        if file.name.endswith(ending)
    }
    hub = [bench for known in word_lists(__file__)["benchmarks"] for bench in _parts(**known)]
    local = {name: Bench(path=path, name=name, column="", optional=True) for name, path in there.items()}
    return tuple(dict.fromkeys(local.get(bench.name, bench) for bench in hub))


def _parts(
    *, config: Any = None, split: Any = "test", data_files: Sequence[str] = (), **known: str
) -> Iterator[Bench]:
    configs, splits = (part if isinstance(part, list) else [part] for part in (config, split))
    for config, split in product(configs, splits):
        yield Bench(**known, config=config, split=split, data_files=tuple(data_files), optional=True)


def stamp(benches: Sequence[Bench], *, default: bool) -> Json:
    known: list[Json] = [bench.stamp for bench in benches]
    return ["default", word_lists(__file__)["version"], *known] if default else known


def load(benches: Sequence[Bench]) -> Benchmarks:
    """Every question of every benchmark; one that cannot be had and is not optional is a ConfigError."""
    questions: list[Question] = []
    missing: dict[str, str] = {}
    asks_hub = any(bench.hub and bench.optional for bench in benches)
    with offline_where_no_hub_answers() if asks_hub else nullcontext():
        for bench in benches:
            name = bench.name or bench.hub or bench.path
            if name in missing:  # another part of it: the hub would let us wait for each
                continue
            try:
                found = [asked for source, rows in _rows(bench) for asked in _asked(bench, source, rows)]
            except ConfigError as error:
                if not bench.optional:
                    raise
                missing[name] = str(error).removeprefix(f"{_AGAINST}: ").partition("\n")[0]
                continue
            if not found and bench.optional:
                missing[name] = "no question in it"
            before = sum(question.bench == name for question in questions)  # rows of its further parts go on
            questions += [question._replace(row=question.row + before) for question in found]
    return Benchmarks(questions, missing, list(missing))


def _rows(bench: Bench) -> Iterator[tuple[str, Iterable[Mapping[str, Any] | Fault]]]:
    if bench.hub:
        yield (
            bench.hub,
            load_split(
                bench.hub,
                where=_AGAINST,
                config=bench.config,
                split=bench.split,
                revision=bench.revision,
                data_files=list(bench.data_files) or None,
            ),
        )
    else:
        for file in bench.files():
            yield str(file), (row for _, row in read(file))


def _asked(bench: Bench, source: str, rows: Iterable[Mapping[str, Any] | Fault]) -> list[Question]:
    good = [(number, row) for number, row in enumerate(rows, start=1) if not isinstance(row, Fault)]
    there = sorted({str(name) for _, row in good for name in row})
    column = bench.column or next((name for name in _COLUMNS if name in there), _COLUMNS[0])
    if good and column not in there:
        raise ConfigError(f"{_AGAINST}: {source} has no column {column!r}; there are: {', '.join(there)}")
    name = bench.name or Path(source).name.partition(".")[0]
    return [Question(name, number, text) for number, row in good if isinstance(text := row.get(column), str)]


def expanded(against: Sequence[str | Bench], folder: str) -> tuple[Bench, ...]:
    """Paths and the word "default" become benchmarks."""
    out: list[Bench] = []
    for one in against:
        if one == "default":
            out += default_benches(folder)
        else:
            out.append(Bench(path=one) if isinstance(one, str) else replace(one))
    return tuple(out)
