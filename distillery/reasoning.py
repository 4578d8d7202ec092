r"""The shape of a reasoning trace: thought, then answer.

One normal form for every way a server writes it: `<think>\n{thought}\n</think>\n{answer}`. A thought that is
not wanted is an empty block, `<think>\n\n</think>\n`. Extraction of the final answer starts from here.
"""

from __future__ import annotations

import re
from typing import NamedTuple

OPEN, CLOSE = "<think>", "</think>"


class Parts(NamedTuple):
    reasoning: str | None  # None: no thought at all; "": an empty block
    answer: str | None  # what stands after the thought; None: the thought was never closed


_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    r"\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters without width or ink."""


def visible(text: str) -> str:
    """Without characters that nobody sees; a text of nothing else is empty."""
    return text if text.isascii() else _INVISIBLE.sub("", text)


def split(text: str) -> Parts:
    """Thought and what follows it. A text without tags is all answer; an unclosed thought has no answer.

    The *first* closing tag ends the thought; an opening tag may be missing (templates prefill it).
    """
    head, close, rest = text.partition(CLOSE)
    if close:
        return Parts(head.strip().removeprefix(OPEN).strip(), rest.strip())
    if OPEN in text:
        return Parts(text.partition(OPEN)[2].strip(), None)
    return Parts(None, text.strip())


def join(reasoning: str | None, answer: str | None) -> str:
    """The normal form; `None` as answer means the thought was cut off before its end."""
    if answer is None:
        return f"{OPEN}\n{(reasoning or '').strip()}"
    return f"{OPEN}\n{(reasoning or '').strip()}\n{CLOSE}\n{answer.strip()}"


def tagged_answer(text: str) -> str | None:
    """Contents of the last <answer>...</answer>. Linear, whatever is left open."""
    begin = text.rfind("<answer>", 0, max(0, text.rfind("</answer>")))
    if begin < 0:
        return None
    return text[begin + len("<answer>") : text.index("</answer>", begin)].strip()


def boxes(text: str) -> list[str]:
    r"""Contents of every outermost \boxed{...} or \fbox{...}, nested braces respected, in order.

    A box that is never closed hides no later one. Linear in the length of `text`.
    """
    found: list[tuple[int, int]] = []
    open_braces: list[int | None] = []  # where a box's contents begin; None for any other brace
    for token in _BRACES.finditer(text):
        if token[0] == "}":
            begin = open_braces.pop() if open_braces else None
            if begin is not None:
                while found and found[-1][0] >= begin:  # boxes inside this one
                    found.pop()
                found.append((begin, token.start()))
        elif token[0][-1] == "{" and token[0] != r"\{":
            open_braces.append(token.end() if len(token[0]) > 1 else None)
    return [text[begin:end].strip() for begin, end in found]


_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\\\(?!boxed|fbox)|\\[{}]|[{}]")


def last_boxed(text: str) -> str | None:
    r"""Contents of the last complete \boxed{...}."""
    found = boxes(text)
    return found[-1] if found else None
