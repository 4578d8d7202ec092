"""report.html: one static file that needs nothing beside it. Every text from a run is escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from importlib import resources

from distillery.report.charts import Bar, bar_chart, line_chart
from distillery.report.copies import copies
from distillery.report.passages import same_question, traces
from distillery.report.results import (
    CHECKPOINTS,
    JUDGE_BENCH,
    Cell,
    ModelRow,
    judge_rows,
    model_rows,
    share,
)
from distillery.report.view import RunView, StepView

_SECTIONS = {
    "scores": "Scores",
    "line": "The line",
    "funnel": "What was dropped",
    "copies": "Near copies",
    "training": "Training",
    "judge": "The judge",
    "question": "One question, every model",
    "traces": "Traces to read",
    "pipeline": "Pipeline",
}

_QUANTITIES = {
    "completions/mean_length": "mean length, tokens",
    "frac_reward_zero_std": "groups without signal",
}


def render_report(run: RunView) -> str:
    bodies = {
        "scores": scores(run),
        "line": line(run.steps),
        "funnel": funnel(run.steps),
        "copies": copies(run.clusters),
        "training": training(run.steps),
        "judge": judge(run),
        "question": same_question(run.same_question),
        "traces": traces(run.samples),
        "pipeline": pipeline(run),
    }
    shown = {name: body for name, body in bodies.items() if body}
    links = "".join(f'<a href="#{name}">{_SECTIONS[name]}</a>' for name in shown)
    sections = "".join(
        f'<section id="{name}"><h2>{_SECTIONS[name]}</h2>{body}</section>' for name, body in shown.items()
    )
    style = resources.files("distillery.report").joinpath("report.css").read_text(encoding="utf-8")
    title = f"{escape(run.pipeline)} / {run.number}"
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{style}</style></head><body>"
        f'<header class="top"><h1>{escape(run.pipeline)} <small>run {run.number}</small></h1>'
        f'<p class="soft">{_status(run)}</p>{_facts(run)}<nav aria-label="Sections">{links}</nav></header>'
        f"<main>{sections}</main><footer>{_footer(run)}</footer></body></html>\n"
    )


def _status(run: RunView) -> str:
    done = sum(step.status == "done" for step in run.steps)
    words = [
        f"{escape(run.status)}, {done} of {len(run.steps)} stages",
        f"started {escape(run.started.replace('T', ' '))}" if run.started else "",
        f"seed {run.seed}",
        f"commit {escape(run.git[:12])}" if run.git else "",
    ]
    return " · ".join(word for word in words if word)


def _facts(run: RunView) -> str:
    facts: list[tuple[str, str]] = []
    rows = model_rows([run.metrics])
    main = [row for row in rows if row.bench == rows[0].bench]
    for model in ("base", "zero", "teacher"):
        facts += [
            (f"{model}, pass@1", f"{_percent(row.get('pass@1'))}") for row in main if row.model == model
        ]
    dropped = sum(step.rows_dropped or 0 for step in run.steps)
    facts.append(("rows dropped, each with a reason", f"{dropped:,}"))
    facts.append(("time in stages", duration(sum(step.seconds or 0.0 for step in run.steps))))
    cells = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<dl class="facts">{cells}</dl>'


def _percent(found: Cell | None) -> str:
    if found is None:
        return "–"
    error = "" if found.stderr is None else f" <small>± {100 * found.stderr:.1f}</small>"
    return f"{100 * found.value:.1f} %{error}"


def scores(run: RunView) -> str:
    rows = model_rows([run.metrics])
    if not rows:
        return ""
    benches = list(dict.fromkeys(row.bench for row in rows))
    key = (
        '<p class="key"><span><i></i>the line\'s checkpoints</span><span><i class="student"></i>distilled students</span>'
        '<span><i class="twin"></i>their bases, and the same bases by GRPO alone</span>'
        "<span>whiskers: one standard error over problems</span></p>"
    )
    return key + "".join(_bench(bench, [row for row in rows if row.bench == bench]) for bench in benches)


def _bench(bench: str, rows: Sequence[ModelRow]) -> str:
    bars = [
        Bar(row.model, found.value, found.stderr, kind(row.model), _apart(rows, place))
        for place, row in enumerate(rows)
        if (found := row.get("pass@1"))
    ]
    names = list(dict.fromkeys(name for row in rows for name in row.cells))
    body = [[escape(row.model), *(_value(name, row.get(name)) for name in names)] for row in rows]
    return (
        f"<h3>{escape(bench or 'all problems')}: pass@1, in %</h3>"
        f"{bar_chart(bars, title=f'pass@1 by model on {bench}')}"
        f"<details><summary>All numbers as a table</summary>"
        f"{table(['model', *names], body, [kind(row.model) for row in rows])}</details>"
    )


def kind(model: str) -> str:
    if model in CHECKPOINTS:
        return "checkpoint"
    return "twin" if model.endswith(("-base", "-grpo")) else "student"


def _apart(rows: Sequence[ModelRow], place: int) -> bool:
    """Each student's three bars stand together."""
    if place == 0 or rows[place].model in CHECKPOINTS:
        return False
    before, here = (rows[n].model.removesuffix("-base").removesuffix("-grpo") for n in (place - 1, place))
    return before != here


def _value(metric: str, found: Cell | None) -> str:
    if found is None:
        return ""
    return f"{found.value:,.1f}" if metric == "length" else share(found)


def line(steps: Sequence[StepView]) -> str:
    most = max((step.seconds or 0.0 for step in steps), default=0.0)
    body: list[list[str]] = []
    for step in steps:
        origin = [*step.parents, *([f"{step.model_parent} (model)"] if step.model_parent else [])]
        time = escape(step.status) if step.seconds is None else duration(step.seconds)
        body.append(
            [
                f'<b>{escape(step.id)}</b> <span class="use">{escape(step.use)}</span>',
                escape(", ".join(origin)),
                _count(step.rows_in) if step.parents else "",
                "a model" if step.trains and step.status == "done" else _count(step.rows_out),
                _count(step.rows_dropped) if step.rows_dropped else "",
                "" if not step.seconds else _share_bar(step.seconds / most if most else 0.0),
                time,
            ]
        )
    kinds = ["owed" if step.status != "done" else "trains" if step.trains else "" for step in steps]
    head = ["stage", "from", "rows in", "rows out", "dropped", "", "time"]
    lead = (
        '<p class="lead">In the order of the file. A blue edge marks a stage that trains a model. Every row that came in'
        " went out or stands in the ledger with a reason.</p>"
    )
    return lead + table(head, body, kinds)


def _count(rows: int | None) -> str:
    return "" if rows is None else f"{rows:,}"


def _share_bar(part: float) -> str:
    return f'<span class="share" aria-hidden="true"><i style="width:{100 * part:.1f}%"></i></span>'


def funnel(steps: Sequence[StepView]) -> str:
    dropping = [step for step in steps if step.reasons]
    if not dropping:
        return '<p class="lead">Nothing: every row went through.</p>'
    return "".join(_reasons(step) for step in dropping)


def _reasons(step: StepView) -> str:
    came = step.rows_in or 0
    whole = came or sum(step.reasons.values())
    rows = "".join(
        f'<div class="reason"><span>{escape(reason)}</span><span class="track"><i style="width:{100 * count / whole:.2f}%"></i></span>'
        f"<span>{count:,}</span></div>"
        for reason, count in step.reasons.items()
    )
    of = f" of {came:,} ({(step.rows_dropped or 0) / came:.1%})" if came else ""
    return (
        f'<h3>{escape(step.id)} <span class="soft">dropped {step.rows_dropped or 0:,}{of}</span></h3>{rows}'
    )


def training(steps: Sequence[StepView]) -> str:
    return "".join(_training(step) for step in steps if step.curves)


def _training(step: StepView) -> str:
    alarms = "".join(f'<p class="alarm">Alarm: {escape(alarm)}</p>' for alarm in step.alarms)
    curves = "".join(line_chart(curve.values, curve.steps, title=_title(curve.name)) for curve in step.curves)
    time = "" if step.seconds is None else duration(step.seconds)
    return (
        f'<h3>{escape(step.id)} <span class="soft">{escape(step.use)} {time}</span></h3>'
        f'{alarms}<div class="curves">{curves}</div>'
    )


def _title(name: str) -> str:
    """What TRL's name for a quantity means."""
    if name.startswith("rewards/"):
        return f"reward: {name.split('/')[1]}"
    return _QUANTITIES.get(name, name)


def judge(run: RunView) -> str:
    judges = judge_rows([run.metrics])
    if not judges:
        return ""
    names = list(dict.fromkeys(name for metrics in judges.values() for name in metrics))
    problems = {m.model: m.problems for m in run.metrics if m.bench == JUDGE_BENCH}
    body = [["labelled answers", *(f"{problems[judge]:,}" for judge in judges)]]
    body += [[escape(name), *(_agreement(found, name) for found in judges.values())] for name in names]
    lead = '<p class="lead">Its verdicts on answers whose label is known. Neither a rule nor a judge is ground truth.</p>'
    return lead + table(["measure", *judges], body, [""] * len(body))


def _agreement(found: Mapping[str, Cell], metric: str) -> str:
    cell = found.get(metric)
    return "" if cell is None else f"{cell.value:.3f}".rstrip("0").rstrip(".")


def pipeline(run: RunView) -> str:
    rows = [[escape(name), escape(version)] for name, version in run.versions.items()]
    versions = f"<details><summary>Versions</summary>{table(['package', 'version'], rows, [''] * len(rows))}</details>"
    return (
        f"<details><summary>The resolved pipeline</summary><pre>{escape(run.yaml)}</pre></details>{versions}"
    )


def table(head: Sequence[str], body: Sequence[Sequence[str]], kinds: Sequence[str]) -> str:
    """Cells of `body` are HTML already; all columns but those of words are set as numbers."""
    words = {"stage", "from", "model", "measure", "package", "version"}
    marks = ["" if name in words else ' class="n"' for name in head]
    top = "".join(
        f'<th scope="col"{mark}>{escape(name)}</th>' for name, mark in zip(head, marks, strict=True)
    )
    rows = "".join(
        f'<tr class="{escape(mark)}">'
        + "".join(f"<td{m}>{cell}</td>" for cell, m in zip(row, marks, strict=True))
        + "</tr>"
        for row, mark in zip(body, kinds, strict=True)
    )
    return f'<div class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table></div>'


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s"


def _footer(run: RunView) -> str:
    finished = ""
    if run.finished:
        finished = f"Finished {escape(datetime.fromisoformat(run.finished).strftime('%Y-%m-%d %H:%M'))}. "
    return f"{finished}The numbers of this page are in results.json, the rows in the store."
