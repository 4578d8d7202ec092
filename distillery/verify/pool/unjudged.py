"""What to say when many verdicts are about our own faults and not about the answers."""

from __future__ import annotations

from collections.abc import Sequence

from distillery.records import Outcome, Verdict

FAULTS = (Outcome.TIMEOUT, Outcome.ERROR)


def unjudged(verdicts: Sequence[Verdict | None], *, share: float, what: str = "answers") -> str | None:
    """A sentence when more than `share` of the verdicts are timeouts or errors: how many, the first ones."""
    faults = [verdict for verdict in verdicts if verdict and verdict.outcome in FAULTS]
    if len(faults) <= share * len(verdicts):
        return None
    first = {verdict.outcome: verdict.detail for verdict in reversed(faults)}
    kinds = [
        f"{sum(verdict.outcome is kind for verdict in faults)} {kind}, such as {first[kind]!r}"
        for kind in FAULTS
        if kind in first
    ]
    return f"{len(faults)} of {len(verdicts)} {what} could not be judged: {'; '.join(kinds)}"
