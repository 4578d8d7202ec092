"""`python -m distillery.train SPEC.json`, and the module that `accelerate launch -m` starts on every rank."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from distillery.errors import DistilleryError
from distillery.train import run


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        summary = run(Path(sys.argv[1]))
    except DistilleryError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(json.dumps(summary) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
