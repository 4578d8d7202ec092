"""What a text says of its answer, sentence by sentence: one grammar for letters and for values.

    statement   = name about* verb+ said         "The correct answer to this is therefore B"
                | choose said                    "I choose B", "故选B"
                | said verb+ (name | verdict)    "B is the answer", "option B is out", "B正确"
                | reject said                    "rule out B"
                | correction pronoun? said       "Wait, no, it is C"
    verb        = is | maybe_is | not | hedge | filler
    said        = what stands there, up to an explanation, a supposition, a correction or the next name

name, about, is, hedge and so on are kinds of phrases in phrases.yaml. A name at a line's end names what the
next line says. What only supposes ("if ...,") or asks ("?") states nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from distillery.verify.answer.phrases import Token, tokens

_MOST = 80  # tokens of what a statement says
_MOST_BETWEEN = 24  # tokens between a name and that
_MOST_STATED = 60  # statements of one sentence, its last
_MOST_REST = 2000  # characters behind a statement on its line
_MOST_READ = 40_000  # characters at the end of a text in which statements are looked for
_ENDS = re.compile(
    r"(?<!\bi\.e)(?<!\be\.g)(?<!\bcf)(?<!\bNo)(?<!\bvs)(?<!\bapprox)(?<!\b[Aa]ns)[.](?=[\s*_\"'”’)\]]|$)"
    r"|(?<![\d)}!])!(?=\s|$)|[?？。！；]|;(?=\s|$)"
)
_MARKS = {"mark", "filler"}
_VERBS = {"is", "maybe_is", "not", "hedge", "sure", *_MARKS}
_BREAKS = {"comma", "because", "conclude", "but", "join", "colon", "correction"}
_NAMES = {"announce", "announce_choice", "announce_colon"}
_BEGINS = _NAMES | {"right", "wrong", "choose", "reject", "correction", "it"}


class Weight(IntEnum):
    JUDGED = 1  # said of one choice or value among others
    ANNOUNCED = 2  # named as the answer
    CORRECTED = 3  # in the place of what was said before


class Statement(NamedTuple):
    said: tuple[Token, ...]
    text: str  # the same as it is written
    rest: str  # and on to the line's end
    weight: Weight
    negated: bool = False
    hedged: bool = False
    named: frozenset[str] = frozenset()  # the kinds of what names it
    before: bool = False  # it stands before what names or judges it
    whole: str = ""  # all behind the first verb, on to the line's end


class Picked(NamedTuple):
    """What a checker sees in a statement."""

    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    fault: str = ""  # why `yes` commits to nothing
    exact: bool = False  # it is a choice's own words, whatever doubt they hold


def statements(text: str) -> Iterator[Statement]:
    lines = [line for line in text[-_MOST_READ:].split("\n") if line.strip(" \t\r*_#`>-")]
    for place, line in enumerate(lines):
        following = lines[place + 1] if place + 1 < len(lines) else ""
        begin = 0
        for end, asks in _sentence_ends(line):
            last = not line[end : end + 9].strip(" *_`")
            yield from _stated(
                line[begin : end + _MOST_REST], end - begin, following if last else "", asks=asks
            )
            begin = end


@lru_cache(maxsize=1 << 10)  # a text that loops says one sentence again and again
def _stated(line: str, end: int, following: str, *, asks: bool) -> tuple[Statement, ...]:
    return tuple(_Sentence(line, end, following, asks=asks).read())


def _is_mark(token: Token) -> bool:
    return bool(token.kinds & _MARKS) and "about" not in token


def _sentence_ends(line: str) -> Iterator[tuple[int, bool]]:
    for found in _ENDS.finditer(line):
        yield found.end(), found[0] in "?？"
    yield len(line), False


class _Sentence:
    def __init__(self, line: str, end: int, following: str, *, asks: bool) -> None:
        self.line = line  # on behind the sentence
        self.text = line[:end]
        self.tokens = tokens(self.text)
        self.following = following  # the next line, where nothing follows on this one
        self.asks = asks

    def read(self) -> Iterator[Statement]:
        doubtful = self.asks or any("unsure" in token for token in self.tokens)
        clause, supposed, hedged, denied = 0, False, doubtful, False
        begins = [place for place, token in enumerate(self.tokens) if token.kinds & _BEGINS][-_MOST_STATED:]
        for place, token in enumerate(self.tokens):
            if "comma" in token:
                clause, supposed, hedged = place + 1, False, doubtful
            elif "suppose" in token:
                supposed = True
            elif "hedge" in token:
                hedged = True
            if token.kinds & _BREAKS:
                denied = False
            if not supposed and begins and place >= begins[0] and token.kinds & _BEGINS:
                for found in self._at(place, clause, hedged=hedged):  # "I don't think the answer is B"
                    yield found if found.before else found._replace(negated=found.negated or denied)
            denied = denied or "not" in token

    def _at(self, place: int, clause: int, *, hedged: bool) -> Iterator[Statement]:
        token = self.tokens[place]
        names = _NAMES & token.kinds
        if (names or {"right", "wrong"} & token.kinds) and (found := self._judged(place, clause)):
            yield found._replace(hedged=found.hedged or hedged)
        if names:
            begin, verbs = self._verbs(self._about(place + 1))
            named = bool(verbs) and ("announce_colon" not in names or "colon" in verbs[0])
            if named or ("announce" in names and self._is_value(begin, number=not token.text.isascii())):
                yield self._said(begin, Weight.ANNOUNCED, verbs, hedged=hedged)._replace(named=token.kinds)
            elif begin >= len(self.tokens) and self.following and "announce" in names:
                yield self._below(hedged=hedged)._replace(named=token.kinds)
        elif "choose" in token:
            begin, verbs = self._verbs(place + 1)
            before = self.tokens[place - 1 : place]
            yield self._said(begin, Weight.ANNOUNCED, (*before, *verbs), hedged=hedged)._replace(
                named=token.kinds
            )
        elif "reject" in token:
            yield self._said(place + 1, Weight.JUDGED)._replace(negated=True)
        elif "correction" in token and (place == clause or self._leads(place)):
            while place < len(self.tokens) and self.tokens[place].kinds & {"correction", "comma", "wrong"}:
                place += 1
            begin, verbs = self._verbs(place)
            yield self._said(begin, Weight.CORRECTED, verbs, hedged=hedged)
        elif "it" in token:
            begin, verbs = self._verbs(place + 1)
            yield self._said(begin, Weight.JUDGED, verbs, hedged=hedged)

    def _leads(self, place: int) -> bool:
        passed = _MARKS | {"correction", "comma", "but", "other"}
        return place < _MOST_BETWEEN and all(token.kinds & passed for token in self.tokens[:place])

    def _about(self, place: int) -> int:
        """Behind "to the first question" and the like, where a verb follows; else `place`."""
        most = place + _MOST_BETWEEN
        while place < min(most, len(self.tokens)) and _is_mark(self.tokens[place]):
            place += 1
        if place < len(self.tokens) and "about" in self.tokens[place]:
            for end in range(place + 1, min(place + 14, len(self.tokens))):
                token = self.tokens[end]
                if {"is", "maybe_is", "not"} & token.kinds and "letter" not in self.tokens[end - 1]:
                    return end
                if {"announce", "announce_choice", "right", "letter"} & token.kinds:
                    break
        return place

    def _verbs(self, place: int) -> tuple[int, tuple[Token, ...]]:
        """Where what is said begins, and the verbs before it, with what they are denied or weakened by."""
        kinds = {
            "is",
            "maybe_is",
            "not",
            "except",
            "hedge",
            "sure",
            "conclude",
            "it",
            "but",
            "correction",
            *_MARKS,
        }
        verbs: list[Token] = []
        end = min(len(self.tokens), place + _MOST_BETWEEN)
        while place < end:
            token = self.tokens[place]
            after = self.tokens[place + 1].kinds if place + 1 < len(self.tokens) else frozenset[str]()
            passed = ("comma" in token and after & kinds) or (token.text in "-–—." and "letter" in after)
            if not token.kinds & kinds and not passed:
                break
            if not token.kinds & _MARKS or token.kinds & {"is", "not"}:
                verbs.append(token)
            place += 1
        return place, tuple(verbs)

    def _is_value(self, place: int, *, number: bool) -> bool:
        kinds = {"letter", "formula", "lower", "number" if number else "letter"}
        return place < len(self.tokens) and bool(self.tokens[place].kinds & kinds)

    def _said(
        self, begin: int, weight: Weight, verbs: tuple[Token, ...] = (), *, hedged: bool = False
    ) -> Statement:
        below = begin >= len(self.tokens) and self.following and verbs and "colon" in verbs[-1]
        if below and weight is Weight.ANNOUNCED:
            return self._below(hedged=hedged)
        end = begin
        while end < min(len(self.tokens), begin + _MOST):
            kinds = self.tokens[end].kinds
            parted = end > begin and self.tokens[end - 1].kinds & {"comma", "other"}
            if end > begin and kinds & {"because", "announce", "announce_choice"}:
                break
            if parted and kinds & {"suppose", "correction"}:
                break
            end += 1
        said = self.tokens[begin:end]
        at = said[0].start if said else len(self.text)
        denied = (
            sum(bool({"not", "except"} & verb.kinds) for verb in verbs) % 2 == 1 and "but" not in verbs[-1]
        )
        weak = any({"hedge", "maybe_is"} & verb.kinds for verb in verbs)
        if any("would" in verb for verb in verbs):
            weak = weak or any("suppose" in token for token in self.tokens[begin : begin + _MOST])
        text = self.text[at : said[-1].end] if said else ""
        whole = at if not verbs else verbs[0].end if "is" in verbs[0] else verbs[0].start
        rest = self.line[at : at + _MOST_REST]
        return Statement(said, text, rest, weight, denied, hedged or weak, whole=self.line[whole:])

    def _below(self, *, hedged: bool) -> Statement:
        """The next line is what is named."""
        end = next(_sentence_ends(self.following))[0]
        return _Sentence(self.following, end, "", asks=False)._named_above(hedged=hedged)

    def _named_above(self, *, hedged: bool) -> Statement:
        begin, verbs = self._verbs(0)
        return self._said(begin, Weight.ANNOUNCED, verbs, hedged=hedged)

    def _judged(self, place: int, clause: int) -> Statement | None:
        """ "B is the answer", "option B is out", "B正确": what stands before the verb is judged."""
        token = self.tokens[place]
        end = place
        kinds = _VERBS | {"both"}
        least = max(clause, place - _MOST_BETWEEN)
        while end > least and self.tokens[end - 1].kinds & kinds and "option" not in self.tokens[end - 1]:
            end -= 1
        verbs = self.tokens[end:place]
        named = self.tokens[max(clause, end - _MOST) : end]
        announced = bool({"announce", "announce_choice"} & token.kinds)
        own_verb = not token.text.isascii() and not announced
        if not named or not (own_verb or any({"is", "not", "maybe_is"} & verb.kinds for verb in verbs)):
            return None
        denied = sum(bool({"not", "except"} & verb.kinds) for verb in verbs) + ("wrong" in token)
        weight = Weight.ANNOUNCED if announced else Weight.JUDGED
        weak = any({"hedge", "maybe_is"} & verb.kinds for verb in verbs)
        text = self.text[named[0].start : named[-1].end]
        return Statement(named, text, text, weight, denied % 2 == 1, weak, token.kinds, before=True)


class Settled(NamedTuple):
    picked: Picked
    weight: Weight | None  # None: nothing is said


def settle(text: str, pick: Callable[[Statement], Picked]) -> Settled:
    """The last commitment of a text; one that is taken back, denied or in doubt comes with a fault.

    What is only judged counts where nothing is announced, and then all of it.
    """
    best, weight = Picked(), None
    seen: dict[int, tuple[Statement, Picked]] = {}  # of what is said again
    for statement in statements(text):
        if id(statement) not in seen:
            seen[id(statement)] = statement, pick(statement)
        found = seen[id(statement)][1]
        if statement.hedged and found.yes and not found.exact:
            found = found._replace(fault=found.fault or "hedged")
        heavier = weight is None or statement.weight >= min(weight, Weight.ANNOUNCED)
        if found.yes and (heavier or not best.yes):
            if statement.weight is weight is Weight.JUDGED and not found.fault and not best.fault:
                found = Picked(tuple(dict.fromkeys(best.yes + found.yes)))
            best, weight = found, statement.weight
        elif found.no and (weight is None or (heavier and set(best.yes) <= set(found.no))):
            best, weight = Picked((), found.no, "negated"), statement.weight
    return Settled(best, weight)
