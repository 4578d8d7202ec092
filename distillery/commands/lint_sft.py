"""`distillery lint-sft`: what a student would really be trained on, before a GPU hour is spent."""

from __future__ import annotations

import argparse

from rich.console import Console

from distillery.row_files import Dialect
from distillery.train.lint.check import lint, render


def main(arguments: argparse.Namespace) -> int:
    report = lint(
        arguments.model,
        arguments.data,
        chat_template=arguments.chat_template or None,
        max_length=arguments.max_length,
        eos_token=arguments.eos_token,
        pad_token=arguments.pad_token,
        dialect=Dialect(arguments.delimiter, arguments.encoding, where="lint-sft --"),
    )
    render(report, Console(), rows=arguments.rows)
    return 0 if report.ok else 2
