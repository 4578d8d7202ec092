"""Multiple choice in any published form: the question with its choices lettered, and the gold's letter.

What a gold says of its choices (a letter, a number, their text) is told by a whole column, never by one row:
1 may be the first choice or the second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from math import isnan
from string import ascii_uppercase
from typing import Any, NamedTuple, cast

from distillery.hashing import digest
from distillery.stages.ingest.mapping.texts import UnfitError, blank, shown, text

_LETTERS = ascii_uppercase[:10]  # what the checker reads
_KEYS, _SAYS = ("label", "labels", "key", "letter", "id"), ("text", "texts", "value", "content", "option")
_NUMBER = re.compile(r"-?\d+(?:\.0)?")
_RUN = re.compile(r"\(?([A-Ja-j](?:[\s,;、]*[A-Ja-j])*)\)?[.:：、]?")
_MARK = r"\(?{}\s*[).:：、．]\s*"
_MOSTLY = 0.9  # of the golds looked at


class GoldIs(StrEnum):
    LETTER = "letter"
    """The letter of a choice; of several: ABD."""
    TEXT = "text"
    """The text of a choice."""
    FROM_0 = "from_0"
    """A choice's number, the first is 0."""
    FROM_1 = "from_1"
    """A choice's number, the first is 1."""


class Choices(NamedTuple):
    texts: list[str]
    labels: list[str] = []  # as their own row calls them

    def shown(self, question: str) -> str:
        """The question with its choices, unless they stand in it already."""
        marked = [*zip(_LETTERS, self.texts, strict=False)]
        if all(re.search(_MARK.format(letter) + re.escape(said), question) for letter, said in marked):
            return question
        return f"{question.rstrip()}\n\n" + "\n".join(f"({letter}) {said}" for letter, said in marked)

    def shuffled(self) -> Choices:
        """In an order that tells nothing of where they stood."""
        return Choices(sorted(self.texts, key=lambda said: digest(["choice", said, *sorted(self.texts)])))


def choices(given: Any) -> Choices:
    """A list of texts; texts with their labels, as ARC, MedQA and CommonsenseQA have them; JSON of these; or
    one text such as "A) 3 B) 4"."""
    value = _loaded(given) if isinstance(given, str) else given
    labels: list[Any] = []
    if isinstance(value, Mapping):
        labels, value = _columns(cast("Mapping[str, Any]", value))
    elif isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) for one in value):
        labels, value = _entries(cast("Sequence[Mapping[str, Any]]", value))
    if not isinstance(value, (list, tuple)):
        raise UnfitError(f"is {shown(given)}, not a list of choices")
    return _whole([*cast("Sequence[Any]", value)], labels)


def _whole(given: list[Any], labels: list[Any]) -> Choices:
    texts = [(text(one) or "").strip() for one in given]
    while texts and blank(texts[-1]):
        texts.pop()
    if not 2 <= len(texts) <= len(_LETTERS):
        raise UnfitError(f"has {len(texts)} choices; a question has 2 to {len(_LETTERS)}")
    if any(map(blank, texts)):
        raise UnfitError(f"has a choice that says nothing: {shown(texts)}")
    found = [re.match(_MARK.format(letter), one) for letter, one in zip(_LETTERS, texts, strict=False)]
    if all(mark and mark.end() < len(one) for mark, one in zip(found, texts, strict=True)):
        texts = [one[mark.end() :] for mark, one in zip(found, texts, strict=True) if mark]
    return Choices(texts, [str(label).strip() for label in labels[: len(texts)]])


def _loaded(said: str) -> Any:
    if said.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(said)
        except ValueError:
            raise UnfitError(f"is {shown(said)}, no JSON list of choices") from None
    first = re.match(r"\s*(\(?)A\s*([).:：、．])", said)
    sign = rf"(?<!\S){re.escape(first[1])}([A-J])\s*{re.escape(first[2])}\s*" if first else "$^"
    found = [*re.finditer(sign, said)]
    letters, begins = [mark[1] for mark in found], [mark.end() for mark in found]
    if len(found) < 2 or letters != [*_LETTERS[: len(found)]]:
        raise UnfitError(f"is {shown(said)}, not a list of choices")
    ends = [*(mark.start() for mark in found[1:]), len(said)]
    return [said[begin:end].strip() for begin, end in zip(begins, ends, strict=True)]


def _columns(value: Mapping[str, Any]) -> tuple[list[Any], Any]:
    """ARC's {text: [...], label: [...]}, MedQA's {A: ..., B: ...}."""
    label, says = _one_of(value, _KEYS), _one_of(value, _SAYS)
    if isinstance(says, (list, tuple)):
        labels = [*cast("Sequence[Any]", label)] if isinstance(label, (list, tuple)) else []
        if labels and len(labels) != len(cast("Sequence[Any]", says)):
            raise UnfitError(f"has not as many labels as texts: {shown(value)}")
        return labels, says
    if not all(len(key) == 1 for key in value):
        raise UnfitError(f"is an object: {shown(value)}, not a list of choices")
    keys = [key for key in sorted(value) if value[key] is not None]
    return [*keys], [value[key] for key in keys]


def _entries(value: Sequence[Mapping[str, Any]]) -> tuple[list[Any], list[Any]]:
    labels, texts = ([_one_of(one, names) for one in value] for names in (_KEYS, _SAYS))
    if None in texts:
        raise UnfitError(f"has a choice without a text: {shown(value)}")
    return ([] if None in labels else labels), texts


def _one_of(value: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((value[name] for name in names if name in value), None)


def letter(gold: Any, among: Choices, gold_is: GoldIs | None) -> str | None:
    """Of the choice that is meant; "": there is no gold. None: it names none."""
    gold = gold[0] if isinstance(gold, (list, tuple)) and len(gold) == 1 else gold
    if isinstance(gold, (dict, list)):
        return None if gold else ""
    said = "" if gold is None else str(gold).strip()
    if blank(said) or (isinstance(gold, float) and isnan(gold)):
        return ""
    if among.labels.count(said) == 1:
        return _LETTERS[among.labels.index(said)]
    if re.fullmatch(r"-1(\.0)?", said):
        return ""
    if gold_is is not None:
        return _READ[gold_is](gold, said, among.texts)
    return None


def _by_letter(_: Any, said: str, texts: Sequence[str]) -> str | None:
    for mark, choice in zip(_LETTERS, texts, strict=False):
        if re.fullmatch(_MARK.format(mark) + re.escape(choice), said):
            return mark
    run = _RUN.fullmatch(said)
    found = sorted({*re.findall(r"[A-J]", run[1].upper())}) if run else []
    run_on = run and re.search(r"[a-z]{2}", run[1])  # "bad" is a word
    return "".join(found) if found and not run_on and found[-1] < ascii_uppercase[len(texts)] else None


def _by_text(gold: Any, said: str, texts: Sequence[str]) -> str | None:
    if not isinstance(gold, str) and _NUMBER.fullmatch(said) and 0 <= int(float(said)) <= len(texts):
        return None  # a number that can be a choice's is one
    return _LETTERS[texts.index(said)] if texts.count(said) == 1 else None


def _numbered(first: int) -> Callable[[Any, str, Sequence[str]], str | None]:
    def read(gold: Any, said: str, texts: Sequence[str]) -> str | None:
        at = int(float(said)) - first if _NUMBER.fullmatch(said) and not isinstance(gold, bool) else -1
        return _LETTERS[at] if 0 <= at < len(texts) else None

    return read


_READ: dict[GoldIs, Callable[[Any, str, Sequence[str]], str | None]] = {
    GoldIs.LETTER: _by_letter,
    GoldIs.TEXT: _by_text,
    GoldIs.FROM_0: _numbered(0),
    GoldIs.FROM_1: _numbered(1),
}


def what_golds_are(rows: Iterable[tuple[Any, Choices]]) -> GoldIs | str | None:
    """The one way to read the golds of these rows; in words why there is none, None where none is needed."""
    asked = [(gold, among) for gold, among in rows if letter(gold, among, None) is None]
    if not asked:
        return None
    found = {one: [letter(gold, among, one) for gold, among in asked] for one in GoldIs}
    count = {one: sum(said is not None for said in read) for one, read in found.items()}
    best = max(GoldIs, key=lambda one: count[one])
    whole = count[best] == len(asked)
    near = len(asked) if whole else _MOSTLY * len(asked)
    example = shown([gold for gold, _ in asked[:3]])
    if count[best] < near:
        return f"golds such as {example} name no choice"
    for other in GoldIs:
        if other is not best and count[other] >= near and _differ(found[best], found[other]):
            right = f"say gold_is: {best} or {other}"
            return f"golds such as {example} can be read in two ways, which name different choices; {right}"
    return best


def _differ(one: Sequence[str | None], other: Sequence[str | None]) -> bool:
    return any(a != b and a is not None and b is not None for a, b in zip(one, other, strict=True))
