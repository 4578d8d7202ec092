"""`distillery run`: does what a pipeline still owes, shows how it goes, and ends with a table and a report."""

from __future__ import annotations

import argparse
import dataclasses
import signal
import sys
from pathlib import Path

from distillery.commands.plan import resolve
from distillery.commands.progress import Lines, Live
from distillery.executors import open_executor
from distillery.pipeline.prices import find_prices, load_prices
from distillery.report import summary_text, write_report
from distillery.runner import open_run, run


def main(arguments: argparse.Namespace) -> int:
    if arguments.dry_run:
        from distillery.commands import plan as plan_command

        return plan_command.main(arguments)
    plan = resolve(arguments)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # as batch systems end a job: like the first Ctrl-C
    workers = dataclasses.replace(plan.workers, jobs=arguments.jobs or plan.workers.jobs)
    store: Path = arguments.data_dir / "store"
    record = open_run(plan, arguments.data_dir / "runs")
    watcher = Live(sys.stdout) if sys.stdout.isatty() else Lines(sys.stdout)
    run(
        plan,
        store=store,
        record=record,
        executor=open_executor(arguments.executor, workers),
        watcher=watcher,
        prices=load_prices(find_prices(arguments.pipeline)) if plan.budget.max_cost else None,
    )
    write_report(record.path, store)
    sys.stdout.write(summary_text(record.path) + f"\nreport: {record.path / 'report.html'}\n")
    return 0
