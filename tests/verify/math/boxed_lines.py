"""Tables of `gold    ~    answer`, one a line, each answer in a box."""

from distillery.records import Outcome, Problem
from distillery.verify.pool.processes import judge


def boxed(answer: str) -> str:
    return f"<think>\nhm\n</think>\n\\boxed{{{answer}}}"


def judged(table: str, outcome: Outcome) -> list[str]:
    """Lines of `table` that come out otherwise."""
    lines = table.strip().splitlines()
    pairs = [line.split("    ~    ") for line in lines]
    rows = [(Problem("q", gold, checker="math"), boxed(answer)) for gold, answer in pairs]
    verdicts = judge(rows, deadline_s=60)  # the machine may be busy
    return [line for line, verdict in zip(lines, verdicts, strict=True) if verdict.outcome is not outcome]
