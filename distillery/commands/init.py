"""`distillery init`: a starter pipeline for somebody's rows, after a look at them."""

from __future__ import annotations

import argparse
import re
from itertools import count
from pathlib import Path

from rich.console import Console

from distillery.errors import ConfigError
from distillery.pipeline import load_plan
from distillery.starter.pipeline_text import pipeline_text
from distillery.starter.source import Tried, tried

_SURE = 0.99  # of the rows looked at
_LINE = {"gold", "distinct", "unseen", "sampled", "checked", "judged", "filtered", "unique", "clean", "kept"}
_FOLLOW = _LINE | {"mixed", "chat", "hub"}  # ids of the stages behind the sources


def main(arguments: argparse.Namespace) -> int:
    places = list(dict.fromkeys(arguments.sources))
    ids = _ids(places)
    output = arguments.output or Path(f"{ids[places[0]]}.yaml")
    if output.exists():
        raise ConfigError(f"init: {output} is there already; -o names another file")
    console = Console(highlight=False, soft_wrap=True)
    sources: dict[str, Tried] = {}
    for place in places:
        hub = {"config": arguments.config, "split": arguments.split}
        dialect = {"delimiter": arguments.delimiter, "encoding": arguments.encoding}
        one = tried(place, **hub, dialect=dialect, source=ids[place], alone=len(places) == 1)
        sources[ids[place]] = one
        for line in _told(one):
            console.print(line, markup=False)
    text = pipeline_text(sources, file=str(output), teacher=_teacher(arguments))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(text, encoding="utf-8")
    load_plan(output)
    console.print(f"wrote {output}; next: distillery plan {output}, distillery run {output}", markup=False)
    return 0


def _ids(places: list[str]) -> dict[str, str]:
    """A stage's id for each source, from its name."""
    found: dict[str, str] = {}
    for place in places:
        last = re.split(r"[/\\]", place.rstrip("/\\*."))[-1].partition(".")[0]
        stem = re.sub(r"\W+", "_", last, flags=re.ASCII).strip("_").lower() or "rows"
        names = (stem if number == 1 else f"{stem}_{number}" for number in count(1))
        found[place] = next(name for name in names if name not in {*found.values(), *_FOLLOW})
    return found


def _teacher(arguments: argparse.Namespace) -> dict[str, str]:
    given = {"model": arguments.model, "base_url": arguments.base_url, "api_key_env": arguments.api_key_env}
    given = {name: value for name, value in given.items() if value}
    if given and not {"model", "base_url"} <= {*given}:
        raise ConfigError(f"init: an endpoint needs --base-url and --model; given: {', '.join(given)}")
    return {"kind": "openai", **given} if given else {}


def _told(one: Tried) -> list[str]:
    """What was found, how sure that is, and what a person should look at."""
    shape, lost = one.shape, sum(number for *_, number in one.left)
    known = f"{shape.known} of the {shape.of} columns of that form"
    lines = [
        f"{one.place}: {shape.name} ({known}); {one.looked:,} rows looked at give {one.made:,} of ours",
        f"  takes {', '.join(one.takes)}",
    ]
    if one.golds[1]:
        read, of = one.golds
        checker = f"checker {one.checker}" if one.checker else "their own checkers"
        lines.append(f"  golds: {checker} can read {read:,} of {of:,}")
    else:
        lines.append("  golds: none, so answers are only looked at for their form (checker layout)")
    if one.unused:
        lines.append(f"  does not use {', '.join(one.unused)}")
    if one.tests:
        lines.append(f"  {one.tests} looks like tests of programs; see `distillery stages program`")
    if one.look:
        lines.append(f"  LOOK: {one.look}")
    lines += [f"  left out: {number:,} {reason} ({detail})" for reason, detail, number in one.left]
    if one.made < _SURE * (one.made + lost):
        share = one.made / (one.made + lost)
        lines.append(f"  LOOK: {share:.0%} of the rows fit; look at the mapping in the file")
    return lines
