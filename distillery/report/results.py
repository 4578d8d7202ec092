"""The table at the end of a run: what each model scores, for a log, for a README, for several seeds
together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import sqrt
from statistics import mean, stdev
from typing import TYPE_CHECKING

from distillery.markdown import cell, markdown_table
from distillery.pipeline.lineage import Role, Standing

if TYPE_CHECKING:
    from distillery.report.view import Metric

JUDGE_BENCH = "judge"
_COLUMNS = (("format", "format"), ("language", "wanted language"), ("length", "mean length"))


@dataclass(frozen=True, slots=True)
class Cell:
    """A metric over one run or several. `stderr` of one run is over problems; of several, over runs."""

    value: float
    stderr: float | None


@dataclass(frozen=True, slots=True)
class ModelRow:
    model: str
    bench: str
    cells: Mapping[str, Cell]
    standing: Standing

    def get(self, metric: str) -> Cell | None:
        return self.cells.get(metric)


def model_rows(runs: Sequence[Sequence[Metric]]) -> list[ModelRow]:
    """One row a model and bench, in the order of the plan; with several runs, their averages."""
    found = _gathered(runs, judging=False)
    benches = list(dict.fromkeys(bench for bench, _ in found))
    rows = [
        ModelRow(model, bench, _cells(metrics), next(iter(metrics.values()))[0].standing)
        for (bench, model), metrics in found.items()
    ]
    families = list(dict.fromkeys(row.standing.family for row in rows))
    return sorted(rows, key=lambda row: (benches.index(row.bench), _place(row.standing, families)))


_ORDER = (Role.CHECKPOINT, Role.TWIN, Role.STUDENT, Role.OTHER)


def _place(standing: Standing, families: Sequence[str]) -> tuple[int, int, int, int]:
    """Checkpoints first, then each student behind its base and its twins, then models from elsewhere."""
    if standing.role is Role.CHECKPOINT:
        return 0, 0, 0, standing.place
    elsewhere = standing.role is Role.OTHER
    return 1 + elsewhere, families.index(standing.family), _ORDER.index(standing.role), standing.place


def _cell(values: Sequence[Metric]) -> Cell:
    numbers = [value.value for value in values]
    if len(numbers) == 1:
        return Cell(numbers[0], values[0].stderr)
    return Cell(mean(numbers), stdev(numbers) / sqrt(len(numbers)))


def judge_rows(runs: Sequence[Sequence[Metric]]) -> dict[str, dict[str, Cell]]:
    """Per judge: precision, recall, kappa and whatever else was measured."""
    found = _gathered(runs, judging=True)
    return {judge: _cells(metrics) for (_, judge), metrics in found.items()}


def _gathered(
    runs: Sequence[Sequence[Metric]], *, judging: bool
) -> dict[tuple[str, str], dict[str, list[Metric]]]:
    """By bench and model, and by what is measured."""
    found: dict[tuple[str, str], dict[str, list[Metric]]] = {}
    for metric in chain(*runs):
        if (metric.bench == JUDGE_BENCH) == judging:
            of_model = found.setdefault((metric.bench, metric.model), {})
            of_model.setdefault(metric.metric, []).append(metric)
    return found


def _cells(metrics: Mapping[str, Sequence[Metric]]) -> dict[str, Cell]:
    return {name: _cell(values) for name, values in metrics.items()}


def summary_markdown(*runs: Sequence[Metric]) -> str:
    return _markdown(*_lines(model_rows(runs)))


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return markdown_table([cell(name) for name in head], [[cell(text) for text in line] for line in lines])


def summary_plain(*runs: Sequence[Metric]) -> str:
    """Columns padded with spaces, for a log."""
    head, lines = _lines(model_rows(runs))
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    sides = ["<"] * (len(head) - len(_COLUMNS) - 1) + [">"] * (len(_COLUMNS) + 1)
    forms = [f"{{:{side}{width}}}" for side, width in zip(sides, widths, strict=True)]
    return "\n".join("  ".join(forms).format(*line).rstrip() for line in [head, *lines])


def seeds_markdown(names: Sequence[str], runs: Sequence[Sequence[Metric]]) -> str:
    """pass@1 and wanted language of each model in each run, side by side."""
    each = [{(row.model, row.bench): row for row in model_rows([run])} for run in runs]
    known = [(row.model, row.bench) for row in model_rows(runs)]
    lines = [[*who, *(_brief(one.get(who)) for one in each)] for who in known]
    return _markdown(["model", "bench", *(f"{name}: pass@1, language" for name in names)], lines)


def _brief(row: ModelRow | None) -> str:
    if row is None:
        return ""
    language = row.get("language")
    return share(row.get("pass@1")) + ("" if language is None else f", {language.value:.0%}")


def _lines(rows: Sequence[ModelRow]) -> tuple[list[str], list[list[str]]]:
    several = len({row.bench for row in rows}) > 1
    head = ["model", *(["bench"] if several else []), "pass@1", *(title for _, title in _COLUMNS)]
    return head, [[row.model, *([row.bench] if several else []), *_numbers(row)] for row in rows]


def _numbers(row: ModelRow) -> Iterator[str]:
    yield share(row.get("pass@1"))
    for metric, _ in _COLUMNS:
        found, form = row.get(metric), ",.0f" if metric == "length" else ".0%"
        yield "" if found is None else format(found.value, form)


def share(found: Cell | None) -> str:
    """In percent, with its standard error where there is one."""
    if found is None:
        return ""
    error = "" if found.stderr is None else f" ± {100 * found.stderr:.1f}"
    return f"{100 * found.value:.1f}{error} %"
