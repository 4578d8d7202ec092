"""chrF: how many of a text's character n-grams another has (Popović 2015, "chrF: character n-gram F-score").

For n from 1 to 6, precision P_n is the share of the hypothesis's n-grams that the reference has (clipped
counts), recall R_n the share of the reference's that the hypothesis has; P and R are their means over the n
that both texts are long enough for. chrF = (1 + b²) P R / (b² P + R), b = 2. White space does not count.
"""

from __future__ import annotations

from collections import Counter

_MOST_CHARS = 6  # of an n-gram
_BETA = 2


def chrf(hypothesis: str, reference: str) -> float:
    """In [0, 1]; 0.0 where one of the two is empty."""
    said, meant = "".join(hypothesis.split()), "".join(reference.split())
    longest = min(_MOST_CHARS, len(said), len(meant))
    if not longest:
        return 0.0
    precision = recall = 0.0
    for size in range(1, longest + 1):
        ours, theirs = _grams(said, size), _grams(meant, size)
        shared = (ours & theirs).total()
        precision += shared / ours.total() / longest
        recall += shared / theirs.total() / longest
    weighted = _BETA**2 * precision + recall
    return (1 + _BETA**2) * precision * recall / weighted if weighted else 0.0


def _grams(text: str, size: int) -> Counter[str]:
    return Counter(text[at : at + size] for at in range(len(text) - size + 1))
