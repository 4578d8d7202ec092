"""Columns that have our name and nobody mapped: theirs, unless what they hold is plainly ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from distillery.stages.ingest.mapping.texts import UnfitError, blank, only
from distillery.stages.ingest.mapping.values import missing, ours
from distillery.verify import CHECKERS

_OWN_CHECKER = re.compile(r"[\w.]+:\w+")
Read = Callable[[Any], Any]


def _thinking(value: Any) -> bool:
    found = only(value)
    return isinstance(found, str) and found.strip().lower() in ("on", "off", "")


def _checker(value: Any) -> bool:
    found = only(value)
    return isinstance(found, str) and (found in CHECKERS or bool(_OWN_CHECKER.fullmatch(found)))


def _payload(value: Any) -> bool:
    try:
        return isinstance(value, Mapping) or isinstance(json.loads(value), dict)
    except (TypeError, ValueError, RecursionError):
        return False


_OURS: dict[str, Callable[[Any], bool]] = {"thinking": _thinking, "checker": _checker, "payload": _payload}
GUARDED = (*_OURS, "language", "domain", "source")


def if_ours(name: str) -> Read:
    """Of a GUARDED column, how a value is read: None where it is none of ours."""
    read, plainly = ours(name), _OURS.get(name)

    def taken(value: Any) -> Any:
        try:
            if plainly and not plainly(value):
                return None
            return read(value)
        except UnfitError:
            if name == "payload":
                raise  # ours, and damaged
            return None

    return taken


def says(value: Any) -> bool:
    """Whether there is anything that could be taken."""
    return not (missing(value) or value in ([], {}) or (isinstance(value, str) and blank(value)))
