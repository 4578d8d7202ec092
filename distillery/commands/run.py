"""`distillery run`: does what a pipeline still owes, shows how it goes, ends with a table and a report."""

from __future__ import annotations

import argparse
import signal
import sys

from distillery.api import run
from distillery.commands.plan import resolve
from distillery.pipeline.prices import find_prices, load_prices
from distillery.report import summary_text
from distillery.report.progress import Lines, Live


def main(arguments: argparse.Namespace) -> int:
    if arguments.dry_run:
        from distillery.commands import plan as plan_command

        return plan_command.main(arguments)
    plan = resolve(arguments)
    # as batch systems end a job: like the first Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    done = run(
        plan,
        data_dir=arguments.data_dir,
        executor=arguments.executor,
        jobs=arguments.jobs,
        watcher=Live(sys.stdout) if sys.stdout.isatty() else Lines(sys.stdout),
        prices=load_prices(find_prices(arguments.pipeline)) if plan.budget.max_cost else None,
    )
    sys.stdout.write(summary_text(done.folder) + f"\nreport: {done.report}\n")
    return 0
