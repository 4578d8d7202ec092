"""report.html: one file that needs nothing beside it. Its template escapes every text; charts alone are
markup."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from distillery.pipeline.lineage import Role
from distillery.records import Outcome
from distillery.report.charts import Bar, bar_chart, line_chart
from distillery.report.results import JUDGE_BENCH, Cell, ModelRow, judge_rows, model_rows, share
from distillery.report.view import Curve, RunView

if TYPE_CHECKING:
    from markupsafe import Markup

_QUANTITIES = {
    "completions/mean_length": "mean length, tokens",
    "frac_reward_zero_std": "groups without signal",
}
_TONES = {Outcome.CORRECT: "good", Outcome.WRONG: "bad", Outcome.NO_ANSWER: "bad"}


_ROLES = {
    Role.CHECKPOINT: "the line's checkpoints",
    Role.STUDENT: "distilled students",
    Role.TWIN: "their bases, and the same bases without a teacher",
    Role.OTHER: "models from elsewhere",
}


class Table(NamedTuple):
    head: list[str]
    rows: list[tuple[str, list[str]]]  # a CSS class and the cells


class Bench(NamedTuple):
    name: str
    chart: Markup
    table: Table


def render_report(run: RunView) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("distillery.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {
        "count": _count,
        "duration": duration,
        "chart": _curve,
    }
    rows, judged = model_rows([run.metrics]), _judged(run)
    finished = datetime.fromisoformat(run.finished) if run.finished else None
    sections = {
        "scores": ("Scores", rows),
        "line": ("The line", True),
        "funnel": ("What was dropped", True),
        "copies": ("Near copies", run.clusters),
        "training": ("Training", any(step.curves for step in run.steps)),
        "judge": ("The judge", judged.rows),
        "question": ("One question, every model", run.same_question),
        "traces": ("Traces to read", run.samples),
        "pipeline": ("Pipeline", True),
    }
    return environment.get_template("page.html.jinja").render(
        run=run,
        sections={name: title for name, (title, shown) in sections.items() if shown},
        status=_status(run),
        facts=_facts(run, rows),
        benches=[_bench(name, rows) for name in dict.fromkeys(row.bench for row in rows)],
        roles={role: words for role, words in _ROLES.items() if role in {row.standing.role for row in rows}},
        judged=judged,
        versions=Table(["package", "version"], [("", list(pair)) for pair in run.versions.items()]),
        tones=_TONES,
        finished=f"Finished {finished:%Y-%m-%d %H:%M}. " if finished else "",
    )


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _status(run: RunView) -> str:
    done = sum(step.status == "done" for step in run.steps)
    words = [
        f"{run.status}, {done} of {len(run.steps)} stages",
        f"started {run.started.replace('T', ' ')}" if run.started else "",
        f"seed {run.seed}",
        f"commit {run.git[:12]}" if run.git else "",
    ]
    return " · ".join(word for word in words if word)


def _facts(run: RunView, rows: Sequence[ModelRow]) -> list[tuple[str, str, str]]:
    """What it is, the number, and its error: of the line's first two models and its last one."""
    main = [row for row in rows if row.bench == rows[0].bench]
    line = [row for row in main if row.standing.role is Role.CHECKPOINT] or main
    shown = [*line[:2], line[-1]] if len(line) > 3 else line
    scores = [(f"{row.model}, pass@1", *_percent(row.get("pass@1"))) for row in shown]
    dropped = sum(step.rows_dropped or 0 for step in run.steps)
    time = duration(sum(step.seconds or 0.0 for step in run.steps))
    return [*scores, ("rows dropped, each with a reason", f"{dropped:,}", ""), ("time in stages", time, "")]


def _percent(found: Cell | None) -> tuple[str, str]:
    if found is None:
        return "–", ""
    return f"{100 * found.value:.1f} %", "" if found.stderr is None else f"± {100 * found.stderr:.1f}"


def _bench(name: str, every: Sequence[ModelRow]) -> Bench:
    from markupsafe import Markup

    rows = [row for row in every if row.bench == name]
    bars = [
        Bar(row.model, found.value, found.stderr, row.standing.role.value, _apart(rows, place))
        for place, row in enumerate(rows)
        if (found := row.get("pass@1"))
    ]
    metrics = list(dict.fromkeys(metric for row in rows for metric in row.cells))
    cells = [
        (row.standing.role.value, [row.model, *(_value(metric, row.get(metric)) for metric in metrics)])
        for row in rows
    ]
    table = Table(["model", *metrics], cells)
    return Bench(name, Markup(bar_chart(bars, title=f"pass@1 by model on {name}")), table)


def _apart(rows: Sequence[ModelRow], place: int) -> bool:
    """Each student's bars stand together."""
    here, before = rows[place].standing, rows[place - 1].standing
    if place == 0 or here.role is Role.CHECKPOINT:
        return False
    return (here.family, here.role is Role.OTHER) != (before.family, before.role is Role.OTHER)


def _value(metric: str, found: Cell | None) -> str:
    if found is None:
        return ""
    return f"{found.value:,.1f}" if metric == "length" else share(found)


def _curve(curve: Curve) -> Markup:
    """Under what TRL's name for its quantity means."""
    from markupsafe import Markup

    reward = curve.name.startswith("rewards/")
    title = f"reward: {curve.name.split('/')[1]}" if reward else _QUANTITIES.get(curve.name, curve.name)
    return Markup(line_chart(curve.values, curve.steps, title=title))


def _judged(run: RunView) -> Table:
    judges = judge_rows([run.metrics])
    if not judges:
        return Table([], [])
    names = list(dict.fromkeys(name for metrics in judges.values() for name in metrics))
    problems = {m.model: m.problems for m in run.metrics if m.bench == JUDGE_BENCH}
    rows = [["labelled answers", *(f"{problems[judge]:,}" for judge in judges)]]
    rows += [[name, *(_agreement(found.get(name)) for found in judges.values())] for name in names]
    return Table(["measure", *judges], [("", cells) for cells in rows])


def _agreement(cell: Cell | None) -> str:
    return "" if cell is None else f"{cell.value:.3f}".rstrip("0").rstrip(".")


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"
