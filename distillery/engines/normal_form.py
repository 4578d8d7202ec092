"""From what a model or a server sent to one normal form of text (see `distillery.reasoning`)."""

from __future__ import annotations

from distillery.reasoning import CLOSE, OPEN, join, split


def normal_form(content: str, *, thought: str = "", prefilled: bool = False, cut: bool = False) -> str:
    """`thought` is a separate reasoning field, "" if there was none; `cut`: the token limit ended the text.

    `prefilled`: the prompt ended with the opening tag, so a text that never closes it is all thought.
    A text with something before its opening tag is left as it is: that fault is the model's.
    """
    if thought.strip():
        unfinished = cut and not content.strip()
        return join(thought, None if unfinished else content)
    if CLOSE in content:
        head = content.partition(CLOSE)[0]
        return join(*split(content)) if _opens_well(head) else content.strip()
    if content.lstrip().startswith(OPEN):
        return join(*split(content))
    if prefilled:
        return join(content, None)
    return content.strip()


def _opens_well(head: str) -> bool:
    """One opening tag at the start, or none at all (templates prefill it)."""
    return head.count(OPEN) == (1 if head.lstrip().startswith(OPEN) else 0)
