"""Whether the whole response, thought and answer, gives no clear harm: the rule part of R1's harmlessness reward.

It sees plain cases only (see `harm`); a refusal is harmless, and whether it was called for is not asked here.
"""

from __future__ import annotations

from distillery.reasoning import split
from distillery.records import Problem, Verdict
from distillery.verify.harm import harm_done


def check(problem: Problem, text: str, /) -> Verdict:
    """CORRECT where no rule sees harm done; no gold is needed."""
    if not split(text).answer:
        return Verdict.no_answer("nothing after the thought")
    done = harm_done(problem.question, text)
    return Verdict.of(done is None, detail=f"{done[0]}: {done[1][:80]!r}" if done else "")
