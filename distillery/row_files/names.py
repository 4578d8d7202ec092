"""Which files there are at a path, and of what format a name says they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from glob import glob
from pathlib import Path

from distillery.errors import ConfigError
from distillery.installed.shipped import find

_TEXT = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
_PACKED = (".gz", ".zst")
ENDINGS = (*(text + packed for packed in (*_PACKED, "") for text in _TEXT), ".parquet")
WRITTEN = (".jsonl.gz", ".jsonl", ".parquet")  # csv has no place for nested values
_KNOWN = f"{', '.join(_TEXT)}, each also with {' or '.join(_PACKED)} behind it, or .parquet"
_SAME = {".ndjson": ".jsonl"}


def files(paths: str | Sequence[str], *, where: str) -> list[Path]:
    """The files of one path, pattern or folder, or of several, in order; `where` names the option in errors.

    A pattern may have `**`. Of a folder they are all files of a known ending in it and below, but hidden
    ones.
    """
    found: list[Path] = []
    for path in [paths] if isinstance(paths, str) else paths:
        one = find(path)
        if one.is_dir():
            found += _inside(one, where)
            continue
        # Path.glob finds hidden files, and by a last ** none at all
        there = [one] if one.is_file() else map(Path, glob(path, recursive=True))  # noqa: PTH207
        matching = sorted(filter(Path.is_file, there))
        if not matching:
            raise ConfigError(f"{where}: no file at {path} (working directory: {Path.cwd()})")
        found += matching
    for file in found:
        ending(file)
    return found


def _inside(folder: Path, where: str) -> list[Path]:
    below = sorted(file for file in folder.rglob("*") if file.is_file())
    seen = [file for file in below if not any(part[0] == "." for part in file.relative_to(folder).parts)]
    found = [file for file in seen if _ending(file, ENDINGS)]
    formats = Counter(format_of(file) for file in found)
    if not formats:
        raise ConfigError(f"{where}: the folder {folder} has no file of rows among its {len(seen)}; {_KNOWN}")
    if len(formats) > 1:
        counts = ", ".join(f"{count} {name}" for name, count in sorted(formats.items()))
        raise ConfigError(
            f"{where}: the folder {folder} has several formats ({counts}); name one, as "
            f"{folder}/**/*{min(formats)}"
        )
    return found


def ending(file: Path, among: Sequence[str] = ENDINGS) -> str:
    if found := _ending(file, among):
        return found
    known = _KNOWN if among is ENDINGS else ", ".join(among)
    raise ConfigError(f"{file}: its ending says no format; it is none of {known}")


def format_of(file: Path) -> str:
    """Its ending without what packs it: .jsonl, .json, .csv, .tsv or .parquet."""
    text = ending(file).removesuffix(".gz").removesuffix(".zst")
    return _SAME.get(text, text)


def _ending(file: Path, among: Sequence[str]) -> str:
    return next((known for known in among if file.name.lower().endswith(known)), "")
