"""The data card of a published set: Markdown from plain facts. Pure; what the facts are is decided
elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distillery.curate.publish.hub_rows import DROPPED
from distillery.markdown import cell, code, fenced, plain

_BAR = 32  # characters of the longest bar of a histogram


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """One stage of the line: what came in, what went out, and why the rest did not."""

    id: str
    use: str
    rows_in: int
    rows_out: int
    rows_dropped: int
    reasons: Mapping[str, int] = field(default_factory=dict[str, int])
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    counts: Mapping[str, float] = field(default_factory=dict[str, float])
    remarks: Sequence[str] = ()  # what it could not look at

    @property
    def decontaminates(self) -> bool:
        return self.use.startswith("decontaminate.")

    def counted(self, prefix: str) -> dict[str, float]:
        return {name.removeprefix(prefix): n for name, n in self.counts.items() if name.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of one domain's rows, in the card's unit."""

    domain: str
    rows: int
    mean: float
    p50: int
    p90: int
    p99: int
    longest: int


@dataclass(frozen=True, slots=True)
class Teacher:
    model: str
    prompt: str
    sampling: str
    rows: int


@dataclass(frozen=True, slots=True)
class SourceRow:
    name: str
    rows: int
    license: str


@dataclass(frozen=True, slots=True)
class Judged:
    """How many samples a rule and a judge saw so; judge "" = not asked."""

    rule: str
    judge: str
    samples: int


@dataclass(frozen=True, slots=True)
class JudgeScore:
    """One measure of a judge on rows whose label is known."""

    judge: str
    measure: str
    value: float
    of: int  # rows, votes or pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    name: str
    repo: str
    configs: Mapping[str, int]  # rows of each
    funnel: Sequence[FunnelRow]
    lengths: Sequence[Lengths]
    histogram: Sequence[tuple[int, int, int]]  # from, to (not included), rows
    unit: str  # "tokens" | "characters"
    teachers: Sequence[Teacher]
    judged: Sequence[Judged]
    sources: Sequence[SourceRow]
    pipeline: str
    made_with: str
    judge_scores: Sequence[JudgeScore] = ()


def render_card(facts: CardFacts) -> str:
    """The body; the front matter is the hub's format and is written by whoever writes the files."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment: Any = Environment(
        loader=PackageLoader("distillery.curate.publish", "."),
        autoescape=False,  # it is Markdown: `cell`, `code` and `fenced` quiet what is not ours
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(cell=cell, code=code, fenced=fenced, plain=plain, reasons=reasons)
    environment.filters.update(n="{:,}".format, n0="{:,.0f}".format)
    return environment.get_template("card.md.jinja").render(
        facts=facts,
        dropped=DROPPED,
        hits=_hits,
        bars=_bars(facts.histogram),
        agreement=_agreement(facts.judged),
    )


def reasons(row: FunnelRow) -> str:
    most = sorted(row.reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{cell(reason)} {count:,}" for reason, count in most)


def _agreement(judged: Sequence[Judged]) -> dict[str, Any] | None:
    """What a rule and a judge said of the same samples; None where no judge was asked."""
    asked = [entry for entry in judged if entry.judge]
    counts = {(entry.rule, entry.judge): entry.samples for entry in asked}
    judges = sorted({entry.judge for entry in asked})
    rules = dict.fromkeys(entry.rule for entry in asked)
    same = counts.get(("correct", "correct"), 0) + counts.get(("wrong", "incorrect"), 0)
    return (
        None
        if not asked
        else {
            "columns": ("rule said", *(f"judge: {cell(judge)}" for judge in judges)),
            "rows": [
                (cell(rule), *(f"{counts.get((rule, judge), 0):,}" for judge in judges)) for rule in rules
            ],
            "same": same,
            "both": same + counts.get(("correct", "incorrect"), 0) + counts.get(("wrong", "correct"), 0),
            "unasked": sum(entry.samples for entry in judged if not entry.judge),
        }
    )


def _hits(row: FunnelRow, bench: str) -> str:
    """By kind; with `numbers_changed: keep` those were counted and not removed."""
    found = {
        kind: count
        for rest, count in row.counted("hit:").items()
        for kind, _, name in [rest.partition(":")]
        if name == bench
    }
    return ", ".join(f"{code(kind)} {count:,.0f}" for kind, count in sorted(found.items())) or "0"


def _bars(histogram: Sequence[tuple[int, int, int]]) -> str:
    highest = max((count for _, _, count in histogram), default=0)
    width = max((len(f"{high:,}") for _, high, _ in histogram), default=0)
    return "\n".join(
        f"{low:>{width},} … {high:>{width},}  "
        f"{'█' * max(1, round(_BAR * count / highest)) if count else '':<{_BAR}}"
        f"  {count:,}"
        for low, high, count in histogram
    )
