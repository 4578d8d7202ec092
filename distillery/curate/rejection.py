"""How many samples of a problem to draw: a policy that looks at what was accepted so far, problem by problem.

It sees one problem's own counts and nothing else, so that what it asks for does not depend on the order in which
replies come in, nor on which other problems are in the table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field


@dataclass(frozen=True, kw_only=True)
class Adaptive:
    """Waves of samples until `accept` were right, or until a posterior of the pass rate says that it does not pay.

    The pass rate has a Beta prior; after `right` of `judged` samples its mean is (a + right) / (a + b + judged). A wave
    asks for as many samples as are expected to bring what is still lacking, between 1 and `wave`.
    """

    accept: Annotated[int, Field(ge=1)] = 4  # right samples after which a problem is done
    first: Annotated[int, Field(ge=1)] = 2  # samples of the first wave
    wave: Annotated[int, Field(ge=1)] = 8  # samples of any other wave, at most
    give_up: Annotated[float, Field(ge=0, lt=1)] = (
        0.1  # chance of another right sample below which no more is drawn
    )
    spare: Annotated[int, Field(ge=1)] = 8  # samples over which that chance is taken
    prior: tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]] = (0.4, 0.4)
    pass_rate: tuple[float, float] | None = None  # window of wanted pass rates, inclusive
    sure: Annotated[float, Field(gt=0.5, lt=1)] = (
        0.9  # belief that it lies outside of which a problem is dropped
    )

    def more(self, *, drawn: int, judged: int, right: int, most: int) -> int:
        """Samples of the next wave; 0: the problem is done.

        `drawn` counts every sample, `judged` those with a verdict, `right` the accepted ones, `most` is the cap.
        """
        if drawn == 0:
            return min(self.first, most)
        left = most - drawn
        if right >= self.accept or left <= 0 or self._outside(judged, right):
            return 0
        a, b = self.prior[0] + right, self.prior[1] + judged - right
        chance = 1 - _no_success(a, b, min(left, self.spare))
        if chance < self.give_up:
            return 0
        wanted = math.ceil((self.accept - right) * (a + b) / a)
        return max(1, min(wanted, self.wave, left))

    def _outside(self, judged: int, right: int) -> bool:
        if self.pass_rate is None or not judged:
            return False
        low, high = self.pass_rate
        a, b = self.prior[0] + right, self.prior[1] + judged - right
        return _beta_cdf(low, a, b) > self.sure or 1 - _beta_cdf(high, a, b) > self.sure


def _no_success(a: float, b: float, draws: int) -> float:
    """Chance that none of the next `draws` is right: B(a, b + draws) / B(a, b), beta-binomial."""
    return math.exp(math.lgamma(b + draws) - math.lgamma(b) + math.lgamma(a + b) - math.lgamma(a + b + draws))


def _beta_cdf(x: float, a: float, b: float, *, steps: int = 400) -> float:
    """Regularised incomplete beta function, by Simpson's rule in t = sin(u)^2, which has no poles at the ends."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    end = math.asin(math.sqrt(x))

    def density(u: float) -> float:
        sine, cosine = math.sin(u), math.cos(u)
        if sine <= 0 or cosine <= 0:
            return 0.0
        return 2 * math.exp(norm + (2 * a - 1) * math.log(sine) + (2 * b - 1) * math.log(cosine))

    width = end / steps
    inner = sum((4 if i % 2 else 2) * density(i * width) for i in range(1, steps))
    return min(1.0, max(0.0, (density(0.0) + inner + density(end)) * width / 3))
