"""Python of a user's own that a pipeline names as `module:name`: loaded, and known by its source."""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module, invalidate_caches
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from distillery.errors import ConfigError, DistilleryError
from distillery.hashing import digest, sha256

_NAME = re.compile(r"((?:[^\W\d]\w*\.)*[^\W\d]\w*):([^\W\d]\w*)")
_OURS = __name__.partition(".")[0]
_CODE = ("code", "it would be module:name, of a Python file")


def load(name: str, *, where: str, what: str) -> Any:
    """What is called `name` in a module of Python's path, to which the working directory is added, as the
    last.

    `where` is the place of the name and `what` says what it would be, both for a ConfigError.
    """
    module, attribute = _parts(name, where, what)
    try:
        with border(name, where=where, does=f"{module} cannot be imported: "):
            found = _imported(module, name)
            there = hasattr(found, attribute)
    except ConfigError as error:
        missing = error.__cause__.name if isinstance(error.__cause__, ModuleNotFoundError) else None
        if missing and f"{module}.".startswith(f"{missing}."):
            raise _no_module(missing, name, where, what) from None
        raise
    if not there:
        file = getattr(found, "__file__", module)
        raise ConfigError(f"{where} {name!r}: there is no {attribute} in {file}; {what}")
    return getattr(found, attribute)


@contextmanager
def border(name: str, *, where: str, does: str = "") -> Generator[None]:
    """What a user's own code raises inside is a ConfigError of one line; our own code's passes as it is."""
    try:
        yield
    # whatever it is: a library's, an exit, a class that derives from nothing we know; only Ctrl-C is ours
    except BaseException as error:
        if ":" not in name or isinstance(error, (DistilleryError, KeyboardInterrupt)):
            raise
        raise ConfigError(f"{where} {name!r}: {does}{_in_one_line(error)}") from error


def is_frozen(cls: type[Any]) -> bool:
    """Of a dataclass: one that is not could be changed when its name is taken already."""
    return bool(cls.__dataclass_params__.frozen)


_read: dict[str, str] = {}  # by outermost module: its source when it was imported


def _imported(module: str, name: str) -> ModuleType:
    """Imported again where it was edited since, or lies elsewhere now: what runs is what the fingerprint
    says."""
    outermost = module.partition(".")[0]
    source, loaded = _source(name), getattr(sys.modules.get(outermost), "__spec__", None)
    if source and loaded and outermost != _OURS:
        known, spec = _read.get(outermost, source), _spec(outermost)
        if known != source or (spec and spec.origin != loaded.origin):
            for old in [old for old in sys.modules if f"{old}.".startswith(f"{outermost}.")]:
                del sys.modules[old]
    found = import_module(module)
    _read[outermost] = source
    return found


def _source(name: str) -> str:
    """ "" where there is none to be found; importing it says why."""
    try:
        return source_digest(name)
    except (ConfigError, ValueError):
        return ""


def _spec(outermost: str) -> ModuleSpec | None:
    """Of what an import would find now, whatever was imported under this name before."""
    found = (finder.find_spec(outermost, None) for finder in sys.meta_path)
    return next((spec for spec in found if spec), None) or find_spec(outermost)


def source_digest(name: str) -> str:
    """Of the module's file or, inside a package, of all .py files of the outermost one. Nothing is
    imported."""
    outermost = _parts(name, *_CODE)[0].partition(".")[0]
    spec = _spec(outermost)
    if spec is None:
        raise _no_module(outermost, name, *_CODE)
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = [(file, file.relative_to(folder)) for folder in folders for file in folder.rglob("*.py")]
    if spec.has_location and spec.origin and not folders:
        files = [(Path(spec.origin), Path(outermost))]
    if not files:
        raise ConfigError(f"code {name!r}: {outermost} has no source file; {_CODE[1]}")
    return digest(sorted([place.as_posix(), sha256(file)] for file, place in files), length=64)


def _parts(name: str, where: str, what: str) -> tuple[str, str]:
    found = _NAME.fullmatch(name)
    if found is None:
        raise ConfigError(f"{where} {name!r}: is no module:name; {what}")
    _look_here()
    return found[1], found[2]


class _Here(str):
    """A place of Python's path that was put there for being the working directory."""


def _look_here() -> None:
    """The working directory is the last place on Python's path; one that it was before is no place any
    more."""
    invalidate_caches()  # a file that was written a moment ago is found
    here = str(Path.cwd())
    sys.path[:] = [place for place in sys.path if not isinstance(place, _Here)]
    if here not in sys.path:
        sys.path.append(_Here(here))


def _no_module(module: str, name: str, where: str, what: str) -> ConfigError:
    return ConfigError(
        f"{where} {name!r}: there is no module {module} (looked in {Path.cwd()} and Python's path); {what}"
    )


def _in_one_line(error: BaseException) -> str:
    """With the last line of Python that ran, unless that is ours, or could not be read."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}: {error.msg}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith("<")]
    ours = Path(frames[-1].filename).is_relative_to(Path(__file__).parents[1])
    place = "" if ours else f"{frames[-1].filename}:{frames[-1].lineno}: "
    return f"{place}{type(error).__name__}: {' '.join(str(error).split())}"
