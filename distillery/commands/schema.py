"""`distillery schema`: the JSON Schema of pipeline files, or of price files, for editors that check YAML."""

from __future__ import annotations

import argparse
import json
import sys

from distillery.reference.pipeline_files import pipeline_schema, price_schema


def main(arguments: argparse.Namespace) -> int:
    schema = pipeline_schema() if arguments.of == "pipeline" else price_schema()
    sys.stdout.write(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
    return 0
