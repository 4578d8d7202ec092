"""The data card of a published set: Markdown from plain facts, which are gathered elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from distillery.markdown import cell, code, fenced, markdown_table, plain

_BAR = 32  # characters of the longest bar of a histogram
_CONFIGS = {
    "default": "one row a problem with all its generations, in the columns of OpenR1-Math-220k",
    "sft": "one row a kept sample: chat messages with the thought in place, ready for supervised fine-tuning",
    "rl": "one row a verifiable problem, in the columns that TRL and verl read",
    "raw": "one row a sample, kept or not, with verdict, judgement and the reason why it left",
}


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
    pipeline = fenced(facts.pipeline, "yaml")
    sections = (
        _summary(facts),
        _usage(facts),
        _making(facts),
        _funnel(facts.funnel),
        _agreement(facts.judged),
        _judge_scores(facts.judge_scores),
        _decontamination(facts.funnel),
        _length_statistics(facts),
        _sources(facts.sources),
        _limits(facts),
        f"## Pipeline\n\n<details><summary>pipeline.yaml</summary>\n\n{pipeline}\n\n</details>",
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _summary(facts: CardFacts) -> str:
    problems = facts.configs.get("default", facts.configs.get("rl", 0))
    rows = facts.configs.get("sft", 0)
    teachers = (
        ", ".join(dict.fromkeys(code(t.model) for t in facts.teachers if t.model)) or "no recorded model"
    )
    return (
        f"# {facts.name}\n\nReasoning traces, checked before they were kept: {rows:,} samples of {problems:,}"
        f" problems, written by {teachers}. Every row that left the line is counted below, with the reason."
    )


def _usage(facts: CardFacts) -> str:
    first = next(iter(facts.configs))
    example = (
        f'from datasets import load_dataset\n\nrows = load_dataset("{facts.repo}", "{first}", split="train")'
    )
    table = markdown_table(
        ("config", "rows", "what it is"),
        [(code(name), f"{rows:,}", _CONFIGS[name]) for name, rows in facts.configs.items()],
    )
    return f"## Use\n\n{fenced(example, 'python')}\n\n{table}"


def _making(facts: CardFacts) -> str:
    table = markdown_table(
        ("model", "prompt", "sampling", "kept rows"),
        [(code(t.model), code(t.prompt), code(t.sampling), f"{t.rows:,}") for t in facts.teachers],
    )
    form = (
        "An assistant's turn is `<think>\\n…\\n</think>\\n…`. Where `thinking` is `off`, the block is there"
    )
    return f"## How it was made\n\n{table}\n\n{form} and empty. Made with {facts.made_with}."


def _funnel(funnel: Sequence[FunnelRow]) -> str:
    rows = [
        (
            code(row.id),
            code(row.use),
            f"{row.rows_in:,}",
            f"{row.rows_out:,}",
            f"{row.rows_dropped:,}",
            reasons(row),
        )
        for row in funnel
    ]
    columns = ("stage", "what", "in", "out", "dropped", "reasons")
    return f"## Funnel\n\n{markdown_table(columns, rows)}" if rows else ""


def reasons(row: FunnelRow) -> str:
    most = sorted(row.reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {count:,}" for reason, count in most)


def _agreement(judged: Sequence[Judged]) -> str:
    asked = [entry for entry in judged if entry.judge]
    if not asked:
        return ""
    judges = sorted({entry.judge for entry in asked})
    counts = {(entry.rule, entry.judge): entry.samples for entry in asked}
    rules = list(dict.fromkeys(entry.rule for entry in asked))
    table = markdown_table(
        ("rule said", *(f"judge: {judge}" for judge in judges)),
        [(rule, *(f"{counts.get((rule, judge), 0):,}" for judge in judges)) for rule in rules],
    )
    same = counts.get(("correct", "correct"), 0) + counts.get(("wrong", "incorrect"), 0)
    both = same + counts.get(("correct", "incorrect"), 0) + counts.get(("wrong", "correct"), 0)
    share = f" Where both decided ({both:,} samples) they agree on {same / both:.1%}." if both else ""
    unasked = sum(entry.samples for entry in judged if not entry.judge)
    return (
        f"## Rule and judge\n\n{table}\n\n{unasked:,} samples were not shown to a judge.{share}"
        " Neither is ground truth; both columns are in `raw`."
    )


def _judge_scores(scores: Sequence[JudgeScore]) -> str:
    rows = [(cell(one.judge), code(one.measure), f"{one.value:.3f}", f"{one.of:,}") for one in scores]
    return (
        f"## The judge on trial\n\n{markdown_table(('judge', 'measure', 'value', 'of'), rows)}"
        if rows
        else ""
    )


def _decontamination(funnel: Sequence[FunnelRow]) -> str:
    rows = [row for row in funnel if row.use.startswith("decontaminate.")]
    if not rows:
        return "## Decontamination\n\nNot done: this set was compared with no benchmark."
    parts = [
        f"{code(row.id)} removed {row.rows_dropped:,} of {row.rows_in:,} rows"
        + (f" ({reasons(row)})." if row.reasons else ".")
        for row in rows
    ]
    facts = [
        markdown_table(("fact", "value"), [(key, plain(value)) for key, value in row.facts.items()])
        for row in rows
        if row.facts
    ]
    compared = [section for row in rows for section in (_benchmarks(row), _unchecked(row)) if section]
    return "\n\n".join(["## Decontamination", *parts, *compared, *facts])


def _benchmarks(row: FunnelRow) -> str:
    """What the rows were compared with. Questions follow from the pairs of row and question, which add up."""
    lines = [
        (code(name), f"{row.counts.get(f'pairs:{name}', 0) / rows:,.0f}", f"{rows:,.0f}", _hits(row, name))
        for name, rows in _counts(row, "compared:").items()
        if rows
    ]
    return markdown_table(("benchmark", "questions", "rows compared", "hits"), lines) if lines else ""


def _hits(row: FunnelRow, bench: str) -> str:
    """By kind; with `numbers_changed: keep` those were counted and not removed."""
    found = {
        kind: count
        for rest, count in _counts(row, "hit:").items()
        for kind, _, name in [rest.partition(":")]
        if name == bench
    }
    return ", ".join(f"{code(kind)} {count:,.0f}" for kind, count in sorted(found.items())) or "0"


def _unchecked(row: FunnelRow) -> str:
    left = [
        f"{code(name)} ({'in part, ' if f'compared:{name}' in row.counts else ''}{rows:,.0f} rows)"
        for name, rows in _counts(row, "unchecked:").items()
    ]
    return f"**Not checked**, for the benchmark could not be had: {', '.join(left)}." if left else ""


def _counts(row: FunnelRow, prefix: str) -> dict[str, float]:
    return {name.removeprefix(prefix): count for name, count in row.counts.items() if name.startswith(prefix)}


def _length_statistics(facts: CardFacts) -> str:
    if not facts.lengths:
        return ""
    rows = [
        (
            cell(row.domain or "(none)"),
            f"{row.rows:,}",
            f"{row.mean:,.0f}",
            *(f"{length:,}" for length in (row.p50, row.p90, row.p99, row.longest)),
        )
        for row in facts.lengths
    ]
    table = markdown_table(("domain", "rows", "mean", "median", "p90", "p99", "longest"), rows)
    highest = max((count for _, _, count in facts.histogram), default=0)
    width = max((len(f"{high:,}") for _, high, _ in facts.histogram), default=0)
    bars = [
        f"{low:>{width},} … {high:>{width},}  "
        f"{'█' * max(1, round(_BAR * count / highest)) if count else '':<{_BAR}}  {count:,}"
        for low, high, count in facts.histogram
    ]
    return f"## Lengths, in {facts.unit}\n\n{table}\n\n" + fenced("\n".join(bars), "text")


def _sources(sources: Sequence[SourceRow]) -> str:
    rows = [(cell(s.name or "(none)"), f"{s.rows:,}", cell(s.license or "not stated")) for s in sources]
    return f"## Sources\n\n{markdown_table(('source', 'kept rows', 'licence'), rows)}" if rows else ""


def _limits(facts: CardFacts) -> str:
    unstated = [source.name or "(none)" for source in facts.sources if not source.license]
    limits = [
        "A rule accepts a right answer reached by a wrong thought; the thoughts themselves are not verified.",
        "The samples carry the habits and mistakes of the model that wrote them.",
    ]
    if unstated:
        limits.append(
            f"The licence of {', '.join(map(cell, unstated))} is not stated here; ask its publisher."
        )
    return "## Limits\n\n" + "\n".join(f"- {limit}" for limit in limits)
