"""`distillery report`: a run's page, or the averages of several runs."""

from __future__ import annotations

import argparse
import sys

from distillery.report import read_metrics, seeds_markdown, summary_markdown, summary_text, write_report
from distillery.store.runs import find_run


def main(arguments: argparse.Namespace) -> int:
    folders = [find_run(name, arguments.data_dir) for name in arguments.runs]
    if arguments.markdown or len(folders) > 1:
        runs = [read_metrics(folder) for folder in folders]
        sys.stdout.write(summary_markdown(*runs) + "\n")
        if len(runs) > 1:
            sys.stdout.write("\n" + seeds_markdown([folder.name for folder in folders], runs) + "\n")
        return 0
    (folder,) = folders
    page = write_report(folder, arguments.data_dir / "store")
    sys.stdout.write(summary_text(folder) + f"\nreport: {page}\n")
    return 0
