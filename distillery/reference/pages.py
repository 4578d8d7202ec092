"""Entries as text for a terminal, and all of them as a markdown document."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import groupby

from distillery.reference.entries import Entry, entry, names
from distillery.reference.options import Option
from distillery.reference.schema import FREE

_WIDTH = 80
_LEGEND = "What is no part of the identity may be changed without losing finished work."
_HEAD = f"""# Reference

Made by `make reference` from the program itself. `distillery stages NAME` prints one entry, `distillery
schema` the JSON Schema that an editor checks a pipeline by. An option without a default must be given. A
name with dots stands in a group: `sampling.top_p` is `sampling: {{top_p: ...}}`; `[]` stands for each one
of a list, `*` for each name of a mapping. `default` is YAML. Columns are those of the example.
{_LEGEND}
"""


def listing() -> str:
    """A line for each name."""
    wide = max(map(len, names()))
    blocks: list[str] = []
    for group, some in groupby(names().items(), key=lambda item: item[1]):
        abouts = {name: entry(name).summary for name, _ in some}
        room = _WIDTH - wide - 4
        lines = (f"  {n:{wide}}  {textwrap.shorten(a, room, placeholder=' ...')}" for n, a in abouts.items())
        blocks.append("\n".join([group, *lines]))
    return "\n\n".join([*blocks, "`distillery stages NAME` says all about one of them."])


def page(found: Entry) -> str:
    blocks = [f"{found.name}: {found.group.partition(':')[0].lower()}"]
    blocks += [_wrapped(part) for part in found.about.split("\n\n")]
    if found.options:
        blocks.append("\n".join(["options", *(line for one in found.options for line in _option(one))]))
        if any(FREE in one.about for one in found.options):
            blocks.append(_wrapped(_LEGEND))
    if found.columns:
        lines = (_wrapped(f"{label}: {said}", 2, 4) for label, said in found.columns.items())
        blocks.append("\n".join(["columns", *lines]))
    if found.reasons:
        lines = (_wrapped(f"{name}: {about}", 2, 4) for name, about in found.reasons.items())
        blocks.append("\n".join(["reasons for dropping a row", *lines]))
    if found.example:
        blocks.append("example\n" + textwrap.indent(found.example, "  "))
    return "\n\n".join(blocks)


def _wrapped(text: str, indent: int = 0, hanging: int = 0) -> str:
    first, rest = " " * indent, " " * (indent + hanging)
    lines = textwrap.TextWrapper(_WIDTH, first, rest, break_long_words=False, break_on_hyphens=False)
    return lines.fill(text)


def _option(option: Option) -> Iterator[str]:
    yield _wrapped(f"{option.name}: {option.type}{_default(option)}", 2, 4)
    yield _wrapped(option.about, 6)
    yield from (_wrapped(f"{value}: {meaning}", 8, 2) for value, meaning in option.choices)


def _default(option: Option, mark: str = "") -> str:
    if option.default is None:
        return "; must be given"
    return f"; default {mark}{option.default}{mark}" if option.default else ""


def document() -> str:
    """Every entry, as docs/reference.md has them."""
    lines = [_HEAD]
    for group, some in groupby(names().items(), key=lambda item: item[1]):
        lines.append(f"## {group}\n")
        for name, _ in some:
            lines += _section(entry(name))
    return "\n".join(lines)


def _section(found: Entry) -> Iterator[str]:
    yield f"### {found.name}\n\n{found.about}\n"
    if found.example:
        yield f"```yaml\n{found.example}\n```\n"
    for option in found.options:
        yield f"- `{option.name}` ({option.type}{_default(option, '`')}): {option.about}"
        yield from (f"  - `{value}`: {meaning}" for value, meaning in option.choices)
    yield from [""] if found.options else []
    for label, said in found.columns.items():
        yield f"{label.capitalize()}: {said}.\n"
    if found.reasons:
        yield "Reasons for dropping a row:\n"
        yield from (f"- `{name}`: {about}" for name, about in found.reasons.items())
        yield ""
