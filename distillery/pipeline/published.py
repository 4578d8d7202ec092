"""What other people may see of a pipeline: the line itself, without where and how one machine runs it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

import yaml

from distillery.curate.publish.masked import LEFT_OUT, masked_option
from distillery.pipeline.plan import Plan

_OF_AN_ENGINE = (
    *("use", "kind", "model", "revision", "dtype", "quantization", "chat_template", "served_model_name"),
    *("prefilled", "reasoning_parser"),
)
"""Options that say which model answers; all others say where and how it runs."""
_NEVER = ("env", "command", "extra_body", "headers", "server_args", "engine_args", "proxies")
_PLACES = (
    *("url", "urls", "uri", "host", "hosts", "hostname", "endpoint", "endpoints", "address", "addr", "proxy"),
    *("socket", "ip", "port", "env"),
)
"""Last words of options that name a place of the network, or a variable of this machine."""
_LONG = 8  # characters; a shorter text that was left out here may be any word elsewhere


class Published(NamedTuple):
    text: str  # as YAML
    private: tuple[str, ...]  # what must not be said elsewhere either


def published(plan: Plan, step: str) -> Published:
    """The line that leads to `step`, and the engines that it asks."""
    line = plan.ancestors(step)
    ids, asked = {one.id for one in line}, {name.partition("(")[0] for one in line for name in one.engines}
    engines = dict(plan.resolved.get("engines") or {})
    own = {
        **plan.resolved,
        "engines": {name: options for name, options in engines.items() if name in asked},
        "stages": [entry for entry in plan.resolved["stages"] if entry["id"] in ids],
    }
    shown = _shown(own)
    specs = {name: spec.options for name, spec in plan.engines.items()}
    known = {*_texts(shown), *_texts([options.get("model") for options in specs.values()])}
    hidden = [
        *_hidden(engines, _engines(engines)),
        *_hidden(specs, _engines(specs)),
        *_hidden(own["stages"], shown["stages"]),
    ]
    found = dict.fromkeys(name for text in hidden for name in (text, *_hosts(text)))
    return Published(
        _yaml(shown),
        (*_of_this_machine(), *(text for text in found if _is_private(text) and text not in known)),
    )


def published_text(text: str) -> str:
    """A whole pipeline, from its YAML."""
    resolved = yaml.safe_load(text)
    return _yaml(_shown(resolved)) if isinstance(resolved, Mapping) else ""


def _yaml(shown: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(shown), sort_keys=False, allow_unicode=True)


def _shown(resolved: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {name: _open(resolved[name]) for name in ("pipeline", "seed") if name in resolved}
    if engines := resolved.get("engines"):
        found["engines"] = _engines(engines)
    return {**found, "stages": [_open(entry) for entry in resolved.get("stages") or ()]}


def _engines(engines: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _engine(options) for name, options in engines.items()}


def _open(value: Any, name: str = "") -> Any:
    """`value` as others may see it, under its `name`."""
    if name in _NEVER or (name and _is_place(name)):
        return LEFT_OUT if value else value
    if name == "engine" and isinstance(value, Mapping):
        return _engine(value)
    if isinstance(value, Mapping):
        return {masked_option(str(key)): _open(item, str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_open(item) for item in value]
    return masked_option(value) if isinstance(value, str) else value


def _engine(options: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _open(value) if name in _OF_AN_ENGINE else LEFT_OUT for name, value in options.items()}


def _is_place(name: str) -> bool:
    return re.split(r"[^a-z]+", name.lower())[-1] in _PLACES


def _hidden(value: Any, shown: Any) -> Iterator[str]:
    """The texts of `value` that are not, or not whole, in `shown`."""
    if isinstance(value, Mapping) and isinstance(shown, Mapping):
        for name, item in value.items():
            yield from _hidden(item, shown.get(str(name)))
    elif isinstance(value, (list, tuple)) and isinstance(shown, list):
        for item, other in zip(value, shown, strict=True):
            yield from _hidden(item, other)
    elif value != shown:
        yield from _texts(value)


def _hosts(text: str) -> Iterator[str]:
    for address in re.findall(r"://([^\s/?#'\"]+)", text):
        yield from (address, address.partition(":")[0])


def _is_private(text: str) -> bool:
    """Long enough, or odd enough, to be nothing else."""
    return len(text) >= _LONG or (len(text) > 3 and re.search(r"[\d.:-]", text) is not None)


def _texts(value: Any) -> Iterator[str]:
    inner: Collection[Any] = value.values() if isinstance(value, Mapping) else value
    if isinstance(value, str):
        yield value
    elif isinstance(value, (Mapping, list, tuple)):
        for item in inner:
            yield from _texts(item)


def _of_this_machine() -> list[str]:
    places = (str(Path.cwd()), str(Path.home()), gettempdir())
    return [place for place in places if len(Path(place).parts) > 1]
