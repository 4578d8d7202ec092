"""`distillery stages`: what there is, and all that can be said of one stage, engine, checker or reward.

`distillery schema` says the same to editors that check YAML.
"""

from __future__ import annotations

import argparse
import json
import sys

from distillery.reference.entries import entry
from distillery.reference.pages import document, listing, page
from distillery.reference.pipeline_files import pipeline_schema, price_schema


def main(arguments: argparse.Namespace) -> int:
    if arguments.of:
        schema = pipeline_schema() if arguments.of == "pipeline" else price_schema()
        sys.stdout.write(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
    elif arguments.markdown:
        sys.stdout.write(document())
    else:
        sys.stdout.write((page(entry(arguments.name)) if arguments.name else listing()) + "\n")
    return 0
