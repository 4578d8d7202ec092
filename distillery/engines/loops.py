"""Text that only repeats itself, found while it is still being written.

Sampled reasoning falls into exact repetition of a phrase, a line or a paragraph and then never ends: the
budget is spent, and the row is of no use (the DeepSeek-R1 model card names it as the reason for its sampling
settings).
"""

from __future__ import annotations

LOOK_EVERY = 1024  # characters of new text between two looks
_LEAST_CHARS = 1500  # a shorter repetition may be a table, a proof by cases, a long decimal
_LEAST_TIMES = 4
_WINDOW = 16_384  # characters at the end that are looked at, so the longest period found is a quarter of it
_PROBE = 48


def loop_end(text: str) -> int | None:
    """Where to cut a text that ends in a loop: behind the repetition that proved it; None if it does not
    loop.

    The cut does not depend on how far the loop went on before somebody looked.
    """
    tail = text[-_WINDOW:]
    before = tail.rfind(tail[-_PROBE:], 0, len(tail) - 1)
    if before < 0 or len(tail) < _LEAST_CHARS:
        return None
    period = len(tail) - _PROBE - before
    needed = max(_LEAST_CHARS, _LEAST_TIMES * period)
    if len(tail) < needed or tail[-needed:-period] != tail[-needed + period :]:
        return None
    begin = len(text) - needed
    while begin > 0 and text[begin - 1] == text[begin - 1 + period]:
        begin -= 1
    return begin + needed
