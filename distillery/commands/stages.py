"""`distillery stages`: what there is, and all that can be said of one stage, engine, checker or reward."""

from __future__ import annotations

import argparse
import sys

from distillery.reference.entries import entry
from distillery.reference.pages import document, listing, page


def main(arguments: argparse.Namespace) -> int:
    if arguments.markdown:
        sys.stdout.write(document())
    else:
        sys.stdout.write((page(entry(arguments.name)) if arguments.name else listing()) + "\n")
    return 0
