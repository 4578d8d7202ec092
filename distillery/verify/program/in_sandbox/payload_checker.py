"""Runs inside the sandbox, sent there as text: a payload's checker over what a program printed, data here.

The checker must say True of each row. One that raises accepts nothing, as output of no sense makes many do;
one that cannot be loaded is a fault of the payload.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from distillery.sandbox.confine import write_all


def main() -> None:
    task: dict[str, Any] = json.loads(sys.stdin.read())
    replies = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    report = json.dumps(judge(task["checker"], task["rows"]))
    write_all(replies, f"\n{task['nonce']} {report}\n".encode())


def judge(checker: str, rows: list[list[str]]) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "checker"}
    try:
        exec(compile(checker, "checker.py", "exec", dont_inherit=True), space)  # noqa: S102 -- this is the sandbox
        check = space["check"]
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- whatever it is, the checker cannot be used
        return {"passed": False, "fault": True, "detail": f"{type(error).__name__}: {str(error)[:200]}"}
    for place, row in enumerate(rows, start=1):
        try:
            accepted = check(*row) is True
        except (Exception, SystemExit) as error:  # noqa: BLE001 -- see above
            detail = f"test {place} of {len(rows)}: {type(error).__name__}: {str(error)[:200]}"
            return {"passed": False, "fault": False, "detail": detail}
        if not accepted:
            detail = f"test {place} of {len(rows)}: not accepted: {row[1][:80]!r}"
            return {"passed": False, "fault": False, "detail": detail}
    return {"passed": True, "fault": False, "detail": ""}


main()
