"""What a person reads after a run: report.html, the table at the end, the same table for several seeds."""

from __future__ import annotations

from pathlib import Path

from distillery.report.html import render_report
from distillery.report.results import seeds_markdown, summary_markdown, summary_plain
from distillery.report.view import RunView, load_run, read_metrics
from distillery.store.stage_dir import disk_errors, replace_text

__all__ = [
    "RunView",
    "load_run",
    "read_metrics",
    "render_report",
    "seeds_markdown",
    "summary_markdown",
    "summary_plain",
    "summary_text",
    "write_report",
]


def write_report(folder: Path, store: Path) -> Path:
    """Writes report.html into a run's folder, from what is there now."""
    file = folder / "report.html"
    with disk_errors(folder):
        replace_text(file, render_report(load_run(folder, store)))
    return file


def summary_text(*folders: Path) -> str:
    """The end table of a run, or the averages of several, as plain text; "" where nothing was scored."""
    runs = [read_metrics(folder) for folder in folders]
    return summary_plain(*runs) if any(runs) else ""
