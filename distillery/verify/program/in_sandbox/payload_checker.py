"""Runs inside the sandbox, sent there as text: a payload's checker over what a program printed, data here.

The checker must say True of each row. One that raises accepts nothing, as output of no sense makes many do.
One that cannot be loaded, says anything but a bool, or does not accept the expected outputs themselves, is a
fault of the payload.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from distillery.sandbox.confine import write_all


def main() -> None:
    sys.set_int_max_str_digits(0)
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
    expected = [[given, wanted, wanted] if wanted.strip() else [] for given, _, wanted in rows]
    for judged, ours in ((expected, True), (rows, False)):
        for place, row in enumerate(judged, start=1):
            detail, fault = said_of(check, row) if row else ("", False)
            if detail:
                detail = f"test {place} of {len(rows)}{', its expected output' * ours}: {detail}"
                return {"passed": False, "fault": fault or ours, "detail": detail}
    return {"passed": True, "fault": False, "detail": ""}


def said_of(check: Any, row: list[str]) -> tuple[str, bool]:
    """Why it does not accept the row, "" where it does; and whether that is the checker's fault."""
    try:
        accepted = check(*row)
    except (Exception, SystemExit) as error:  # noqa: BLE001 -- see above
        return f"{type(error).__name__}: {str(error)[:200]}", False
    if type(accepted) is not bool:
        return f"says {accepted!r:.80}, which is no bool", True
    return "" if accepted else f"not accepted: {row[1][:80]!r}", False


main()
