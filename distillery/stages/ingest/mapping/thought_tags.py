"""Thoughts as other houses mark them, into the one normal form.

Only what a response begins with opens a thought: a tag in the middle of prose is a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from distillery.engines.normal_form import normal_form
from distillery.installed.word_lists import pattern, word_lists
from distillery.reasoning import CLOSE, OPEN, Parts, join, split
from distillery.stages.ingest.mapping.texts import UnfitError, blank


class Form(NamedTuple):
    open: re.Pattern[str]
    close: re.Pattern[str]
    answer: tuple[re.Pattern[str], re.Pattern[str]] | None = None
    between: re.Pattern[str] | None = None  # two thoughts, which are one
    heading: bool = False

    def parts(self, text: str) -> Parts | None:
        """None: the text does not begin so."""
        opened = self.open.match(text)
        if opened is None:
            return None
        bare = not self.open.pattern
        closed = self.close.match(text) if bare else self.close.search(text, opened.end())
        if closed is None:
            return None if self.heading or bare else Parts(text[opened.end() :].strip(), None)
        thought = text[opened.end() : closed.start()].strip()
        if self.between:
            thought = self.between.sub("\n\n", thought)
        return Parts(None if bare else thought, self._answer(text[closed.end() :].strip()))

    def _answer(self, rest: str) -> str:
        if self.answer is None or not (opened := self.answer[0].match(rest)):
            return rest
        inner = rest[opened.end() :]
        if self.answer[0].pattern and self.answer[0].search(inner):
            return rest  # two answers, which a checker is to see
        ends = [*self.answer[1].finditer(inner)]
        if not ends:
            return inner.strip()
        return f"{inner[: ends[-1].start()].strip()}\n{inner[ends[-1].end() :].strip()}".strip()


def own_form(tags: Sequence[str]) -> Form:
    """Of two tags, or of four with those around the answer."""
    opened, closed, *answer = (re.compile(re.escape(tag), re.IGNORECASE) for tag in tags)
    return Form(opened, closed, (answer[0], answer[1]) if answer else None)


@cache
def known_forms() -> tuple[Form, ...]:
    return tuple(_known(entry) for entry in word_lists(__file__)["forms"])


def _known(entry: Mapping[str, Any]) -> Form:
    patterns = (entry["open"], entry["close"], *entry.get("answer", ()), *entry.get("between", ()))
    first, last, *more = (re.compile(one, re.IGNORECASE | re.MULTILINE) for one in patterns)
    answer = (more.pop(0), more.pop(0)) if "answer" in entry else None
    return Form(first, last, answer, next(iter(more), None), bool(entry.get("heading")))


def response(text: str, thought: str | None = None, forms: Sequence[Form] = ()) -> str:
    """A response in the normal form; `thought` came in a field of its own. `forms` go before the known ones.

    Two thoughts that differ, and a thought with our closing tag inside, would be misread: UnfitError.
    """
    answer = _inline(text, forms)
    if thought is None or blank(thought):
        return answer
    thought, inner = thought.strip(), parts(answer)
    if inner.reasoning not in (None, "", thought):
        raise UnfitError("has two thoughts that differ, in its text and in a field of its own")
    if CLOSE in thought:
        raise UnfitError(f"has {CLOSE} inside its thought")
    rest = answer if inner.reasoning is None else inner.answer
    return join(thought, None) if rest is None or blank(rest) else _inline(join(thought, rest), forms)


def _inline(text: str, forms: Sequence[Form]) -> str:
    begins = text.lstrip()
    known = next((one for form in (*forms, *known_forms()) if (one := form.parts(begins))), None)
    if known is None:
        if pattern(__file__, "unread").match(begins):
            raise UnfitError(f"begins with {begins[:40]!r}, which opens neither a thought nor an answer")
        found = normal_form(text)
        return text if found == text.strip() else found
    if CLOSE in (known.reasoning or ""):
        raise UnfitError(f"has {CLOSE} inside a thought that is marked in another way")
    return (known.answer or "") if known.reasoning is None else join(*known)


def parts(text: str) -> Parts:
    """`split` of a text that begins with a thought; every other one is all answer, whatever its tags."""
    head, close, _ = text.partition(CLOSE)
    begins = text.lstrip().startswith(OPEN)
    return split(text) if begins or (close and OPEN not in head) else Parts(None, text.strip())
