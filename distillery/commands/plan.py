"""`distillery plan`: resolves and checks a pipeline, and says what each step will make and cost."""

from __future__ import annotations

import argparse
from pathlib import Path

import yaml
from rich.markup import escape
from rich.table import Table

from distillery.pipeline import Plan, load_plan
from distillery.pipeline.estimate import StepEstimate, Total, estimate, total
from distillery.pipeline.prices import find_prices, load_prices
from distillery.report.console import table_console, table_of
from distillery.store.runs import numbered, read_run, stage_dir
from distillery.store.stage_dir import StageDir

_FIGURES = {
    "tokens written": "tokens",
    "tokens read": "prompt_tokens",
    "tokens trained": "trained_tokens",
    "GPU-hours": "gpu_hours",
    "USD": "usd",
    "disk": "disk_bytes",
}
_WIDE = 160  # characters
_ONLY_WIDE = ("from", "name", "tokens read")
_COLUMNS = ("stage", "use", "from", "name", "state", "rows", *_FIGURES)
_UNITS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


def main(arguments: argparse.Namespace) -> int:
    plan = resolve(arguments)
    data: Path = arguments.data_dir
    file = find_prices(arguments.pipeline)
    prices = load_prices(file)
    steps = estimate(plan, store=data / "store", prices=prices, samples=sampled(plan, data))
    console = table_console()
    done = sum(step.done for step in steps)
    console.print(f"{plan.name}: {len(steps)} steps, {done} done, {len(steps) - done} owed, seed {plan.seed}")
    console.print(_table(steps, wide=console.width >= _WIDE))
    console.print("still owed, in all:")
    for title, figure in _FIGURES.items():
        console.print(f"  {title:14}  {_shown_total(total(steps, figure), figure)}")
    if plan.budget:
        limits = [f"{name} {limit:,.10g}" for name, limit in vars(plan.budget).items() if limit is not None]
        then = "what is reached first stops the run, which the same command continues"
        console.print(f"budget: {', '.join(limits)}; {then}")
    legend = "? unknown, ≤ a bound; the time of processors is not estimated"
    console.print(f"what the figures stand on ({legend}):")
    where = f"{file}, as of {prices.as_of or '?'}" if file else "no prices.yaml: no money, no GPU-hours"
    console.print(f"  prices: {where}")
    for note, names in _by_note(steps).items():
        console.print(f"  {escape(note)}: {escape(', '.join(names))}", soft_wrap=True)
    return 0


def resolve(arguments: argparse.Namespace) -> Plan:
    """A command line's pipeline as a plan: what `run` and `plan` share."""
    plan = load_plan(arguments.pipeline, settings=arguments.settings, limit=arguments.limit)
    return plan.until(arguments.until) if arguments.until else plan


def _by_note(steps: list[StepEstimate]) -> dict[str, list[str]]:
    """Each assumption once, with the steps that stand on it."""
    found: dict[str, list[str]] = {}
    for step in steps:
        for note in () if step.done else step.notes:
            found.setdefault(note, []).append(step.id)
    return found


def sampled(plan: Plan, data: Path) -> dict[str, StageDir]:
    """By step id, the folder of the same stage in the last earlier run of this pipeline, as with --limit."""
    found: dict[str, StageDir] = {}
    for run in numbered(data / "runs" / plan.name):
        file, record = run / "pipeline.yaml", run / "run.json"
        if not file.is_file() or not record.is_file():
            continue
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        if raw.get("engines") != plan.resolved.get("engines"):
            continue
        same = [entry["id"] for entry in raw["stages"] if _what(entry) in map(_what, plan.resolved["stages"])]
        steps = read_run(run)["steps"]
        mine = (step for step in steps if step["id"].removesuffix(".inputs") in same)
        found |= {step["id"]: stage_dir(step, data) for step in mine}
    return found


def _what(entry: dict[str, object]) -> object:
    return {name: value for name, value in entry.items() if name != "expect"}


def _table(steps: list[StepEstimate], *, wide: bool) -> Table:
    shown = [name for name in _COLUMNS if wide or name not in _ONLY_WIDE]
    table = table_of(*shown, right=("rows", *_FIGURES))
    for column in table.columns:
        column.no_wrap = True
    for step in steps:
        cells = {
            "stage": escape(step.id),
            "use": step.use,
            "from": escape(_parents(step)),
            "name": step.fingerprint[:8],
            "state": "done" if step.done else "owed",
        } | {
            title: _shown(getattr(step, figure), figure, at_most=step.at_most)
            for title, figure in {"rows": "rows", **_FIGURES}.items()
        }
        table.add_row(*(cells[name] for name in shown))
    return table


def _parents(step: StepEstimate) -> str:
    """The first of them, by their short names where they come from the same file."""
    prefix = step.id.rpartition("/")[0] + "/"
    names = [name.removeprefix(prefix) for name in step.parents]
    return names[0] + (f" + {len(names) - 1} more" if len(names) > 1 else "") if names else ""


def _shown(value: float | None, figure: str, *, at_most: bool = False) -> str:
    if value is None:
        return "?"
    if value == 0 and figure != "rows":
        return ""
    text = {
        "rows": f"{value:,.0f}",
        "gpu_hours": f"{value:,.0f}" if value >= 10 else f"{value:,.2g}",
        "usd": f"{value:,.0f}" if value >= 10 else f"{value:,.2f}",
        "disk_bytes": f"{_short(value, ' ').replace('B', 'G')}B",
    }.get(figure) or _short(value)
    return f"≤ {text}" if at_most else text


def _short(value: float, gap: str = "") -> str:
    for size, unit in _UNITS:
        if value >= size:
            return f"{value / size:.3g}{gap}{unit}"
    return f"{value:.3g}{gap}"


def _shown_total(sum_: Total, figure: str) -> str:
    text = _shown(sum_.value, figure, at_most=sum_.at_most) or "0"
    if not sum_.unknown:
        return text
    more = f" and {len(sum_.unknown) - 4} more" if len(sum_.unknown) > 4 else ""
    return f"{text} + ? ({escape(', '.join(sum_.unknown[:4]) + more)})"
