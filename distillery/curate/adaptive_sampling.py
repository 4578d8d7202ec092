"""How many samples of a problem to draw: a policy that looks at what was accepted so far, problem by problem.

It sees one problem's own counts and nothing else, so that what it asks for does not depend on the order in
which replies come in, nor on which other problems are in the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated

from pydantic import Field

_Count = Annotated[int, Field(ge=1)]
_Positive = Annotated[float, Field(gt=0)]
_Rate = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """Waves of samples until `accept` were right, or a posterior of the pass rate says that it does not pay.

    The pass rate has a Beta prior (a, b): its mean after `right` of n samples is (a + right) / (a + b + n). A
    problem is given up when that is as low as `patience` samples without a right one make it; each right one
    thus buys a hard problem more. So with `patience` and the cap at n or above, and no window of pass rates,
    every problem gets at least what n samples would have brought it, of which `accept` are kept.

    A wave is what would be drawn one at a time in any case, so none is wasted. A pass rate over samples that
    end with the last right one is a little high, and most so where `accept` is 1.
    """

    accept: _Count | None = 4
    """Right samples after which a problem is done; null: never."""
    patience: _Count = 12
    """Samples without a right one after which a problem is given up."""
    wave: _Count = 1
    """Samples of a wave at least: fewer rounds, for some that were not needed."""
    prior: tuple[_Positive, _Positive] = (0.5, 0.5)
    """The Beta prior (a, b) of the pass rate."""
    pass_rate: tuple[_Rate, _Rate] | None = None
    """Wanted window of the pass rate, inclusive; null: any."""
    sure: Annotated[float, Field(gt=0.5, lt=1)] = 0.9
    """Belief that a rate lies outside the window from which on the problem is given up."""

    def more(self, *, drawn: int, judged: int, right: int, most: int) -> int:
        """Samples of the next wave; 0: the problem is done.

        `drawn` counts every sample, `judged` those with a verdict, `right` the accepted; `most` is the cap.
        """
        left = most - drawn
        lacking = left if self.accept is None else min(left, self.accept - right)
        if lacking <= 0 or self._given_up(drawn, judged, right):
            return 0
        needed = next((n for n in range(1, lacking) if self._may_stop_in(n, drawn, judged, right)), lacking)
        return min(max(needed, self.wave), left)

    def _may_stop_in(self, n: int, drawn: int, judged: int, right: int) -> bool:
        """Whether n more samples could end it; then all wrong or all right ones would, the extremes."""
        return any(self._given_up(drawn + n, judged + n, right + also) for also in (0, n))

    def _given_up(self, drawn: int, judged: int, right: int) -> bool:
        a, b = self.prior
        hopeless = (a + right) * (a + b + self.patience) <= a * (a + b + drawn)
        return hopeless or (judged > 0 and self._outside(a + right, b + judged - right))

    def _outside(self, a: float, b: float) -> bool:
        if self.pass_rate is None:
            return False
        low, high = self.pass_rate
        return beta_cdf(low, a, b) > self.sure or 1 - beta_cdf(high, a, b) > self.sure


@lru_cache(maxsize=65_536)
def beta_cdf(x: float, a: float, b: float) -> float:
    """Regularised incomplete beta function I_x(a, b), by its power series (Abramowitz and Stegun 26.5.4)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the series of the mirror image is the shorter one
        return 1 - beta_cdf(1 - x, b, a)
    norm = math.lgamma(a + b) - math.lgamma(a + 1) - math.lgamma(b)
    term = total = math.exp(norm + a * math.log(x) + b * math.log1p(-x))
    n = 0
    while term > 1e-15 * total:
        term *= x * (a + b + n) / (a + 1 + n)
        total += term
        n += 1
    return min(total, 1.0)
