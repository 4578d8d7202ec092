"""What a value of anybody's row is in a column of ours, or in one of theirs that is kept, nothing of it lost.

What does not fit is an UnfitError. A missing value is None: null, NaN, an empty text where no text is wanted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import cache, partial
from math import isfinite, isnan
from pathlib import Path
from typing import Any, cast

import polars as pl
import yaml
from polars.exceptions import PolarsError

from distillery.curate.difficulty import DIFFICULTY
from distillery.records import JUDGEMENT, TRACE, VERDICT, Columns, Outcome, Thinking
from distillery.stages.ingest.mapping.texts import UnfitError, blank, only, shown, text, whole

OURS: Columns = {**TRACE, **VERDICT, **JUDGEMENT, **DIFFICULTY}
"""Columns with a meaning and a type of ours, which a row may come with."""
_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8})*")


class Kind(StrEnum):
    """What a kept column holds, said by whoever keeps it."""

    INT = "int"
    """Whole numbers."""
    FLOAT = "float"
    """Numbers."""
    BOOL = "bool"
    """True or false."""
    TEXT = "text"
    """Texts; numbers and truth as they are written."""
    JSON = "json"
    """Anything, as JSON text."""


Type = Kind | pl.DataType
TYPES: dict[Kind, pl.DataType] = {
    Kind.INT: pl.Int64(),
    Kind.FLOAT: pl.Float64(),
    Kind.BOOL: pl.Boolean(),
    Kind.TEXT: pl.String(),
    Kind.JSON: pl.String(),
}


def fit(value: Any, kind: Type) -> Any:
    """`value` as one of the column's type."""
    match kind:
        case Kind.JSON:
            return _json(value)
        case Kind.TEXT:
            return text(value, truth=True)
        case Kind():
            return fit(value, TYPES[kind])
        case pl.List():
            return _list(value, cast("pl.DataType", kind.inner))
        case pl.Struct():
            return _struct(value, kind)
        case pl.String():
            return _string(value)
        case pl.Boolean():
            return truth(value)
        case pl.Float32() | pl.Float64():
            return _float(value)
        case _:
            return _int(value, kind) if kind.is_integer() else _other(value, kind)


def ours(name: str) -> Callable[[Any], Any]:
    """How a value of our column `name` is read; a list of one scalar is that scalar."""
    read = _READ.get(name) or (text if OURS[name] == pl.String else partial(fit, kind=OURS[name]))
    return read if name in ("payload", "sampling") else lambda value: read(only(value))


def type_of(value: Any) -> Type:
    """Of a column of such values."""
    match value:
        case bool():
            return pl.Boolean()
        case int():
            return pl.Int64()
        case float():
            return pl.Float64()
        case str() | None:
            return pl.String()
        case dict() | list() | tuple():
            return Kind.JSON
        case _:
            return plain(pl.Series([value]).dtype)


def plain(kind: pl.DataType) -> pl.DataType:
    """The type of a column that holds these values: text for categories and for nothing at all."""
    match kind:
        case pl.List() | pl.Array():
            return pl.List(plain(cast("pl.DataType", kind.inner)))
        case pl.Struct():
            return pl.Struct({one.name: plain(cast("pl.DataType", one.dtype)) for one in kind.fields})
        case pl.Map():
            return plain(pl.List(pl.Struct({"key": kind.key, "value": kind.value})))
        case pl.Categorical() | pl.Enum() | pl.Null():
            return pl.String()
        case _:
            return kind


def truth(value: Any) -> bool | None:
    if _missing(value):
        return None
    said = str(value).strip().lower()
    if isinstance(value, (bool, int, float, str)) and said in (*_TRUE, *_FALSE):
        return said in _TRUE
    raise UnfitError(f"is {shown(value)}, neither true nor false")


def language(value: Any) -> str | None:
    """A tag, without a region that changes nothing for us: "English" and "en-US" are en."""
    given = text(value)
    if given is None or blank(given):
        return given and ""
    name = given.strip().lower().replace("_", "-")
    tag = _languages().get(name) or _languages().get(name.partition("-")[0])
    if tag or _TAG.fullmatch(name):
        return tag or name
    right = 'a tag such as en or zh is, and `constants: {language: ""}` names none'
    raise UnfitError(f"is {shown(given)}, which is no language; {right}")


def thinking(value: Any) -> str | None:
    """ "" is left open: label.thinking decides."""
    given = value.strip().lower() if isinstance(value, str) else value
    if given in ("", "on", "off"):
        return given
    wanted = truth(given)
    return None if wanted is None else (Thinking.ON if wanted else Thinking.OFF).value


def payload(value: Any) -> str | None:
    """An object as JSON text, or such a text."""
    if isinstance(value, Mapping):
        _all_whole(value)
        return whole(json.dumps(value, ensure_ascii=False, default=_plain))
    if _missing(value):
        return None
    if not isinstance(value, str):
        raise UnfitError(f"is not a JSON object: {shown(value)}")
    if "\\u" in value:
        _all_whole(_loaded(value))
    return whole(value)


def _verdict(value: Any, *, right: str, wrong: str, others: Sequence[str]) -> str | None:
    """A verdict of anybody's in our words."""
    words = {
        "correct": right,
        "right": right,
        "incorrect": wrong,
        "wrong": wrong,
        **{one: one for one in others},
    }
    if isinstance(value, str) and (known := words.get(value.strip().lower())):
        return known
    try:
        found = truth(value)
    except UnfitError:
        raise UnfitError(f"is {shown(value)}, no verdict; true, false or one of {', '.join(words)}") from None
    return None if found is None else right if found else wrong


def _share(value: Any) -> float | None:
    found = fit(value, Kind.FLOAT)
    if found is None or isnan(found):
        return None
    if not 0 <= found <= 1:
        raise UnfitError(f"is {shown(value)}; it is a share, between 0 and 1")
    return found


def _count(value: Any) -> int | None:
    found = fit(value, pl.Int32())
    if found is not None and found < 0:
        raise UnfitError(f"is {shown(value)}; it is a count")
    return found


def _sampling(value: Any) -> str | None:
    return _json(value) if isinstance(value, Mapping) else text(value)


_READ: dict[str, Callable[[Any], Any]] = {
    "question": text,
    "gold": partial(text, truth=True),
    "language": language,
    "thinking": thinking,
    "payload": payload,
    "outcome": partial(
        _verdict,
        right=Outcome.CORRECT.value,
        wrong=Outcome.WRONG.value,
        others=[one.value for one in Outcome],
    ),
    "judge_verdict": partial(_verdict, right="correct", wrong="incorrect", others=["unclear"]),
    "score": _share,
    "pass_rate": _share,
    "sampling": _sampling,
    **dict.fromkeys(("checker", "domain", "source"), text),
    **dict.fromkeys(("sample", "prompt_tokens", "completion_tokens", "judge_tokens", "attempts"), _count),
}


@cache
def _languages() -> dict[str, str]:
    table = yaml.safe_load(Path(__file__).with_name("languages.yaml").read_text(encoding="utf-8"))
    return {name: tag for tag, names in table.items() for name in (tag, *names)}


def missing(value: Any) -> bool:
    return value is None or (isinstance(value, (float, Decimal)) and isnan(value))


def _missing(value: Any) -> bool:
    """Also an empty text."""
    return blank(value) if isinstance(value, str) else missing(value)


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return whole(value)
    if _missing(value):
        return None
    raise UnfitError(f"is {shown(value)}, which is no text")


def _number(value: Any) -> int | float | Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(given := value.strip()):
        try:
            return int(given) if given.lstrip("-").isdigit() else float(given)
        except ValueError:  # Python reads no more than 4300 digits
            raise UnfitError(
                f"is {shown(value)}, more digits than a number of this column can have"
            ) from None
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise UnfitError(f"is {shown(value)}, which is no number")
    return value


def _float(value: Any) -> float | None:
    if value is None or (isinstance(value, str) and blank(value)):
        return None
    given = _number(value)
    if isinstance(given, int) and (abs(given) > 2**1000 or int(float(given)) != given):
        raise UnfitError(f"is {shown(value)}, more digits than a number of this column can have")
    return float(given)


def _int(value: Any, kind: pl.DataType) -> int | None:
    if _missing(value):
        return None
    given = _number(value)
    if not isinstance(given, int) and (not isfinite(given) or given != int(given)):
        raise UnfitError(f"is {shown(value)}, which is no whole number")
    bits = int(str(kind).lstrip("UInt"))
    low, high = (0, 2**bits) if str(kind).startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
    if not low <= int(given) < high:
        raise UnfitError(f"is {shown(value)}, more than {kind} holds")
    return int(given)


def _list(value: Any, inner: pl.DataType) -> list[Any] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)):
        raise UnfitError(f"is {shown(value)}, not a list")
    return [fit(item, inner) for item in cast("Sequence[Any]", value)]


def _struct(value: Any, kind: pl.Struct) -> dict[str, Any] | None:
    if value is None:
        return None
    types = {one.name: cast("pl.DataType", one.dtype) for one in kind.fields}
    if isinstance(value, tuple) and len(value) == len(types):  # an entry of an Arrow map
        value = dict(zip(types, value, strict=True))
    if not isinstance(value, Mapping) or value.keys() - types.keys():
        raise UnfitError(f"is {shown(value)}, not an object of {', '.join(types)}")
    return {name: fit(value.get(name), inner) for name, inner in types.items()}


def _other(value: Any, kind: pl.DataType) -> Any:
    try:
        return pl.Series([value], dtype=kind, strict=True)[0]
    except (PolarsError, TypeError, ValueError, OverflowError):
        raise UnfitError(f"is {shown(value)}, which is no {kind}") from None


def _json(value: Any) -> str | None:
    """JSON text is itself. NaN and infinities, for which JSON has no word, are null."""
    if isinstance(value, str):
        _loaded(value)
        return whole(value)
    return None if _missing(value) else whole(json.dumps(_finite(value), ensure_ascii=False, default=_plain))


def _all_whole(value: Any) -> None:
    """Of texts inside, which JSON may have hidden in an escape."""
    if isinstance(value, str):
        whole(value)
    elif isinstance(value, (list, tuple, Mapping)):
        for item in value.values() if isinstance(value, Mapping) else cast("Sequence[Any]", value):
            _all_whole(item)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UnfitError(f"is {shown(text)}, which is no JSON") from None


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in cast("Sequence[Any]", value)]
    return None if isinstance(value, float) and not isfinite(value) else value


def _plain(value: Any) -> str:
    """Of what JSON cannot write."""
    if isinstance(value, (date, time, Decimal)):
        return str(value)
    raise UnfitError(f"holds {shown(value)}, which JSON cannot write")
