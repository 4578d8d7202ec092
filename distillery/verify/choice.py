r"""Multiple choice: the letter that a completion settles on, A to J, by verify/answer.

Read from the boxes that hold a letter or a choice, else the tag, else what the text says of its answer, else
the one line that is a letter, or a letter and its text. With the payload option {"choices": ["first", ...]}
the text of a choice, or its value, stands for its letter; a letter beside another choice's text is wrong.
Several letters are wrong unless the gold names just these ("ABD"): nobody is paid for listing all of them.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from distillery.reasoning import boxes, split, tagged_answer
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.answer.letters import hedged_behind, in_list, letters_at, own_text
from distillery.verify.answer.phrases import tokens
from distillery.verify.answer.places import final_boxes, unwrap
from distillery.verify.answer.reader import Picked, Statement, Weight, settle, statements
from distillery.verify.base import Checker
from distillery.verify.math.equality import equal

_TEXT = re.compile(r"\\(?:text\w*|mathrm|mathbf|mathsf|mathit|operatorname|boxed|fbox)\s*\{([^{}]*)\}")
_DROPPED = re.compile("[\u2705\u2713\u2714\ufe0f\u200b]")
_LABEL = re.compile(r"[(\[]?([A-Ja-j])(?:[)\]]|[.:、])[\s*]*(.*)", re.DOTALL)
_MOST_LINES = 400  # at a text's end that are looked at for one that is a letter
_MOST_LINE = 400  # characters of one
_MOST_BOXES = 100
_MOST_AROUND = 4000  # characters at the end in which a box may be taken back; and of a box or a tag
_LETTERS = "ABCDEFGHIJ"
_RUN = re.compile(r"(?!.*(.).*\1)[A-J]{1,10}")
_BETWEEN = re.compile(r"[\s,;、和&()*]|\b(?:and|or)\b|或者?")
_EITHER = re.compile(r"\bor\b|/|\beither\b|或|还是")
_IS = re.compile(r"^\s*(?:is|are)\s+")
_TRAILED = re.compile(r"(.+?)\s*\(([A-J])\)[.。]?\s*", re.DOTALL)
_SENTENCE = re.compile(r"[.;](?:\s|$)|[。；\n]")
_ARTICLE = re.compile(r"^(?:an?|the)\s+")


def check(problem: Problem, text: str, /) -> Verdict:
    try:
        choices = Choices(problem)
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    gold = set(choices.of(problem.gold).yes)
    if not gold:
        return Verdict(Outcome.NO_GOLD, detail=f"the gold {problem.gold[:80]!r} names no choice")
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    found = _read(answer, choices)
    letters = "".join(sorted(set(found.yes or found.no)))
    if found.fault or letters:
        several = len(letters) > 1 and set(letters) != gold
        fault = found.fault or ("several candidates" if several else "")
        return Verdict.of(not fault and set(found.yes) == gold, letters, fault)
    if said := _unread(answer):
        return Verdict.of(False, said[:400], "names none of the choices")
    return Verdict.no_answer("no box, no <answer> tag, no 'answer:' and no lone letter")


def gold_fault(problem: Problem) -> str | None:
    try:
        found = Choices(problem).of(problem.gold).yes
    except (TypeError, ValueError) as error:
        return f"payload: {error}"
    return None if found else f"the gold {problem.gold[:80]!r} names no choice"


def _read(answer: str, choices: Choices) -> Picked:
    found = [choices.of(box) for box in boxes(answer)[-_MOST_BOXES:] if box]
    found = [choices.of(box) for box in final_boxes(answer, ())] or [box for box in found if box != Picked()]
    if found:
        yes = tuple(letter for box in found for letter in box.yes)
        fault = next((box.fault for box in found if box.fault), "")
        around = settle(_normal(answer[-_MOST_AROUND:]), choices.pick)
        if around.weight is Weight.CORRECTED or (
            around.picked.fault and {*around.picked.no, *around.picked.yes} & {*yes}
        ):
            return around.picked
        return Picked(yes, (), fault)
    tagged = tagged_answer(answer)
    if tagged:
        return choices.of(tagged)
    text = _normal(answer)
    said, weight = settle(text, choices.pick)
    if weight is not None and weight >= Weight.ANNOUNCED:
        return said
    lines = _by_lines(text, choices)
    return said if not lines.yes or (lines.fault == "several candidates" and said.yes) else lines


def _unread(answer: str) -> str:
    """What stands where an answer belongs and names no choice."""
    if found := [box for box in boxes(answer) if box]:
        return " | ".join(found)
    if tagged := tagged_answer(answer):
        return tagged
    announced = [said.text for said in statements(_normal(answer)) if said.weight is Weight.ANNOUNCED]
    lines = [line for line in answer.splitlines() if line.strip()]
    last = unwrap(lines[-1]) if lines else ""
    return announced[-1] if announced else last if len(lines) == 1 or len(last) <= 4 else ""


class Choices:
    """The letters of a problem, and what stands for them."""

    def __init__(self, problem: Problem) -> None:
        self.texts = [str(choice) for choice in problem.options.get("choices", [])][:10]
        self._longest = max(map(len, self.texts), default=0)
        folded = [_folded(text) for text in self.texts]
        self._by_text = {
            text: _LETTERS[folded.index(text)] for text in folded if text and folded.count(text) == 1
        }

    def of(self, text: str) -> Picked:
        """In a box, a tag, a gold."""
        spelled = unwrap(_normal(text[:_MOST_AROUND]))
        bare = _BETWEEN.sub("", spelled)
        if len(bare) > 1 and (letter := self._text(spelled)):
            return Picked((letter,))
        if _RUN.fullmatch(bare) or re.fullmatch("[a-j]", bare):
            several = "several candidates" if _EITHER.search(spelled) else ""
            return Picked(tuple(dict.fromkeys(bare.upper())), (), several)
        said = settle(spelled, self.pick).picked
        if said == Picked():
            said = self.pick(Statement(tokens(spelled), spelled, spelled, Weight.ANNOUNCED))
        return said

    def is_text(self, text: str) -> bool:
        return self._text(text) is not None

    def _words(self, text: str) -> str | None:
        """The letter of a text, and of one behind or before its letter."""
        label, trailed = _LABEL.match(text), _TRAILED.fullmatch(text)
        if label and self._text(label[2]) == label[1].upper():
            return label[1].upper()
        if trailed and self._text(trailed[1]) == trailed[2]:
            return trailed[2]
        return self._text(text)

    def of_line(self, line: str) -> Picked:
        """Of one that is nothing but a letter, or a letter and its text, or a text."""
        if letter := self._text(line):
            return Picked((letter,))
        said = tokens(line)
        while said and said[0].kinds & {"conclude", "comma", "it", "mark", "filler", "colon"}:
            said = said[1:]
        head = line[said[0].start :] if said else ""
        beside = {"letter", "lower", "mark", "other", "option", "join", "comma", "letter_goes_on"}
        alone = bool(said) and all(token.kinds & beside for token in said)
        if not alone and not _LABEL.match(head) and not _LABEL.match(head.replace("*", "")):
            return Picked()
        found = self.pick(Statement(said, head, head, Weight.ANNOUNCED))
        return found._replace(fault="hedged") if line.endswith(("?", "？")) and not found.exact else found

    def pick(self, statement: Statement) -> Picked:
        if letter := self._words(_IS.sub("", statement.whole)) or self._words(statement.rest):
            return Picked((letter,), exact=True)
        if letter := self._text(statement.text):
            found = Picked((letter,))
            return Picked((), found.yes) if statement.negated else found
        found = self._letters(statement)
        if (
            found == Picked()
            and statement.weight is not Weight.JUDGED
            and (letter := self._value(statement.text))
        ):
            found = Picked((), (letter,)) if statement.negated else Picked((letter,))
        return found

    def _letters(self, statement: Statement) -> Picked:
        said, denied = statement.said, statement.negated
        yes: list[str] = []
        no: list[str] = []
        listed, text, either, fault = True, False, False, ""
        for place, token in enumerate(said):
            letters = letters_at(said, place, first=not yes and not no) if listed else ""
            if letters and (not text or own_text(said, place)):
                (no if denied else yes).extend(letters)
                fault = "several candidates" if either and len(yes) > 1 else fault
                fault = fault or ("hedged" if hedged_behind(said, place) else "")
                listed = False
            elif "join" in token or "comma" in token:
                either = either or bool(_EITHER.search(token.text))
                listed = "join" in token or in_list(said, place)
            elif {"not", "except"} & token.kinds:
                denied, listed = True, True
            elif "but" in token and no:
                denied, listed = False, True
            elif not token.kinds & {"filler", "mark", "option", "both", "sure"} and (yes or no):
                text, listed = True, False
        return self._agreeing(statement, yes, no, fault)

    def _agreeing(self, statement: Statement, yes: list[str], no: list[str], fault: str) -> Picked:
        """With the fault that a letter stands beside the text of another choice."""
        if len(yes) == 1 and (label := _LABEL.match(statement.rest)) and label[1].upper() == yes[0]:
            behind = label[2]
            sentence = _SENTENCE.split(behind)[0]
            beside = self._text(behind) or self._text(sentence) or self._value(sentence)
            if beside and beside == yes[0]:
                return Picked((beside,))
            if beside:
                fault = f"the letter {yes[0]} beside the text of {beside}"
        return Picked(tuple(dict.fromkeys(yes)), tuple(no), fault)

    def _text(self, text: str) -> str | None:
        return self._by_text.get(_folded(text)) if len(text) <= 2 * self._longest + 40 else None

    def _value(self, text: str) -> str | None:
        text = unwrap(text)
        if not text or len(text) > 2 * self._longest + 40:
            return None
        return _by_value(tuple(self.texts), text)


@lru_cache(maxsize=1 << 10)  # a text that loops says one value again and again
def _by_value(choices: tuple[str, ...], text: str) -> str | None:
    same = [place for place, choice in enumerate(choices) if equal(choice, text, lambda _one, _other: None)]
    return _LETTERS[same[0]] if len(same) == 1 else None


def _by_lines(text: str, choices: Choices) -> Picked:
    """What lines that are a letter, or a letter and its text, name: the last, the first, those in bold."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t*_#`>-")][-_MOST_LINES:]
    found: list[Picked] = []
    before = ""  # the letter of the line before
    for place, line in enumerate(lines):
        bare = line.strip(" #>*_-")
        label = _LABEL.fullmatch(bare)
        listed = bool(label and before and ord(label[1].upper()) == ord(before) + 1)
        bold = line.startswith(("**", "#")) and line.endswith(("*", "#", "."))
        own = label and choices.is_text(label[2])
        short = len(line) <= _MOST_LINE
        if not listed and (own or (short and (bold or place in (0, len(lines) - 1)))):
            found.append(choices.of_line(bare))
        before = label[1].upper() if label else ""
    named = [line for line in found if line.yes]
    letters = tuple(dict.fromkeys(letter for line in named for letter in line.yes))
    agreed = len({line.yes for line in named}) <= 1
    return Picked(
        letters,
        (),
        next((line.fault for line in named if line.fault), "" if agreed else "several candidates"),
    )


def _normal(text: str) -> str:
    text = _DROPPED.sub("", unicodedata.normalize("NFKC", text))
    for _ in range(2):
        text = _TEXT.sub(r"\1", text)
    return (
        text.replace("$", "").replace("\\(", "(").replace("\\)", ")") if "$" in text or "\\" in text else text
    )


def _folded(text: str) -> str:
    return _ARTICLE.sub(
        "", " ".join(_normal(text).casefold().replace("*", "").split()).strip(" .,;:。，；：'\"()")
    )


CHECKER = Checker(check, gold_fault=gold_fault)
