r"""Which words of a completion are its final answer.

Only what stands after the thought counts. In order: all boxes there; the last <answer> tag; the last of "the
answer is ...", "Answer: ...", "#### ...", "A: ..." or their Chinese forms; a final line that is nothing but
an expression, or whose last sentence states one value and no other ("Hence the area equals 9.").
"""

from __future__ import annotations

import re
from typing import NamedTuple

from distillery.reasoning import boxes, split, tagged_answer
from distillery.verify.math.spelling import canonical

MAX_LINE = 400  # characters of a line that can still be an answer and not a text
_MOST_BOXES = 100  # of a text, its last
_MOST_WORDS = 40_000  # characters at the end of a text in which an answer without a box is looked for

_SAID = re.compile(
    r"(?:\bfinal\s+answer|\banswer|\bcorrect\s+(?:option|choice))(?:\s+to\s+[^.\n:]{1,80})?\s*\**\s*(?:is\s*:?|:|=|(?=\$|\\[\[(]))\s*\**\s*"
    r"(?P<en>[^\n]{1,400})"
    r"|(?:最终)?答案\s*(?:是|为|：|:)\s*[:：]?\s*(?P<zh>[^\n]{1,400})"
    r"|^\s*####\s*(?P<hashes>[^\n]{1,400})"
    r"|^\s*A:\s*(?P<a>[^\n]{1,400})",
    re.IGNORECASE | re.MULTILINE,
)
_FORMULA = r"(?:\$\$[^$\n]{1,300}\$\$|\$[^$\n]{1,300}\$|\\\([^\n]{1,300}?\\\)|\\\[[^\n]{1,300}?\\\])"
_FINAL = re.compile(r"^\W*final answer\b|^\W*最终答案", re.IGNORECASE | re.MULTILINE)
_FINAL_SAID = re.compile(
    rf"(?i)\bfinal answer\s*\**\s*(?:is\s*:?|:)\s*\**\s*({_FORMULA}|[-+]?\d[\d,]*(?:\.\d+)?)\**\s*"
    r"(?:\.(?!\d)|\n|$)"
)
_SENTENCE_END = re.compile(r"[.。;；](?:\s|$)|\s(?:because|since|as|so|where)\s", re.IGNORECASE)
_PROSE = re.compile(r"(?<![\\{A-Za-z])[A-Za-z]{2,}(?=\s+[A-Za-z]{2,})")
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_NUMERAL = re.compile(r"(?<![\w.,])[-+]?\$?\d[\d,]*(?:\.\d+)?%?(?![\w.,]*\d)")
_NEGATED = re.compile(r"\bnot\b|n't\b|\bwrong\b|\bincorrect\b", re.IGNORECASE)
_DISPLAY = re.compile(r"\\\[((?:(?!\\\[).){1,400}?)\\\]|\$\$(.{1,400}?)\$\$", re.DOTALL)
_TEMPLATE = re.compile(  # a turn's end, as chat templates write it, and what was made up behind it
    r"(?<=\S)\s*<[|｜](?:im_end|im_start|eot_id|end_of_text|endoftext|end|user|User|end▁of▁sentence)[|｜]>"
)
_HOPE = re.compile(r"\s*I hope (?:it|this|that)[^.\n]{1,40}\.?\s*$")
_NEW_SENTENCE = re.compile(
    r"[.!?](?:\s+|$)(?=[A-Z\"'(*]|$)|。|\s(?=(?:Therefore|Thus|Hence|So|Consequently)\b)"
)
_VALUE = rf"(?:{_FORMULA}|[-+]?[$€£]?\d[\d,]*(?:\.\d+)?(?:/\d+)?)"
_STATES = re.compile(
    rf"(?:\b(?:is|are|equals?|be|was|were|by|get|gets|obtain)|[:=]|(?:'|’)s|为|是)\s*(?P<value>{_VALUE}(?:\s?(?!or|and|to)[%°a-zA-Z€£¥²³]{{1,12}})?)$"
)
_CORRECTED = re.compile(
    rf"(?:\b(?:no|not),?\s+)?(?:\bit(?:'s|’s| is)\s+)?\bnot\s+{_VALUE},?(?=.*(?:\bis\b|'s\b|’s\b|\bbut\b))",
    re.IGNORECASE,
)
_CONCLUDES = re.compile(r"(?i)^\W*(?:therefore|thus|hence|so|consequently|in total|altogether|因此|所以)\b")
_ASKS = re.compile(r"\?|\b(?:or|either|perhaps|maybe|if)\b", re.IGNORECASE)
_LABELLED = re.compile(
    r"[^\W\d][\w ]{0,40}?\s?:\s*([-+]?[$€£]?\d[\d.,]*\d|\d)(?:\s*[$€£%]?\s*[a-zA-Z]{0,3})\.*"
)
_STATED_TWICE = re.compile(rf"(?<!which )\b(?:is|are|equals?)\s*{_VALUE}")
_IN_TEXT = re.compile(r"\\text\s*\{[^{}]*\}")
_FORM_FEED = re.compile(r"\\?\x0c(?=rac)")  # a program's string took the \f of \frac for one
_JOINS = re.compile(r"(?i),|;|\b(?:and|or)\b|[和或、]")
_OPEN_BOX = re.compile(r"^\\{1,2}(?:boxed|fbox)\s*\{")
_WRAPS = (("**", "**"), ("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$"), ("`", "`"))


class Answer(NamedTuple):
    parts: tuple[str, ...]  # several: different boxes, in order
    missing: str  # why there is nothing; "" when there is


def final_answer(text: str) -> Answer:
    answer = split(text).answer
    if answer is None:
        return Answer((), "the thought was never closed")
    if not answer:
        return Answer((), "nothing after the thought")
    answer = _FORM_FEED.sub(r"\\f", _TEMPLATE.split(answer, maxsplit=1)[0])
    # an empty box is an echo of the question
    found = [unwrap(box) for box in boxes(answer)[-_MOST_BOXES:] if len(box) > MAX_LINE or canonical(box)]
    if found:
        said_later = _said_after_boxes(answer[-_MOST_WORDS:])
        return Answer(said_later or _final(answer, tuple(dict.fromkeys(found))), "")
    answer = answer[-_MOST_WORDS:]
    answer = _DISPLAY.sub(lambda found: f"$ {' '.join((found[1] or found[2]).split())} $", answer)
    tagged = tagged_answer(answer)
    said = _said(answer if tagged is None else tagged)
    if said is None:
        said = _last_line(answer if tagged is None else tagged, alone=tagged is not None)
    if not said:
        return Answer((), "no box, no <answer> tag, no final line to read")
    return Answer((said,), "")


def _final(answer: str, found: tuple[str, ...]) -> tuple[str, ...]:
    """The one box behind the heading "final answer", where the others stand before it; else all of them."""
    heading = _FINAL.search(answer) if len(found) > 1 else None
    last = {unwrap(box) for box in boxes(answer[heading.end() :])} if heading else set()
    return tuple(last) if len(last) == 1 and last != {""} else found


def _said_after_boxes(answer: str) -> tuple[str, ...]:
    """What "the final answer is ..." states behind all boxes, which then were steps."""
    said = list(_FINAL_SAID.finditer(answer, max(answer.rfind("\\boxed"), answer.rfind("\\fbox"))))
    return (unwrap(said[-1][1]),) if said else ()


def stated_gold(gold: str) -> str:
    """A gold as it is compared: without wrapping; of a whole solution what its boxes or its end say."""
    bare = unwrap(gold)
    if "\\boxed" in bare or "\\fbox" in bare:
        found = tuple(dict.fromkeys(unwrap(box) for box in _last_listed(bare) if canonical(box)))
        if found:
            return ", ".join(_final(bare, found))
        return _OPEN_BOX.sub("", bare)
    if len(bare) > MAX_LINE:
        said = list(_FINAL_SAID.finditer(bare))
        return unwrap(said[-1][1]) if said else bare
    return bare


def _last_listed(text: str) -> list[str]:
    """The last box, and those before it that only "and", a comma or signs part from it."""
    found = boxes(text)
    begin, listed = len(text), []
    for box in reversed(found):
        place = text.rfind(box, 0, begin)
        between = text[place + len(box) : begin].replace("boxed", "").replace("fbox", "")
        if listed and (len(between) > 60 or (re.search(r"[A-Za-z]", between) and not _JOINS.search(between))):
            break
        listed.insert(0, box)
        begin = place
    return listed


def unwrap(text: str) -> str:
    """Without the signs around a formula or an emphasis."""
    text = text.strip()
    for _ in range(4):
        before = text
        for left, right in _WRAPS:
            inner = text[len(left) : len(text) - len(right)]
            long_enough = len(text) > len(left) + len(right)
            if long_enough and text.startswith(left) and text.endswith(right) and left not in inner:
                text = inner.strip()
        inside = boxes(text) if text.startswith(("\\boxed", "\\fbox")) else []
        if inside and text.endswith(inside[0] + "}"):
            text = inside[0]
        text = text.rstrip(".。,，;；").strip() if not text.endswith("...") else text
        if text == before:
            break
    return text


def _said(text: str) -> str | None:
    said = [group for match in _SAID.finditer(text) for group in match.groups() if group is not None]
    if not said:
        return None
    words = said[-1]
    for _ in range(3):  # "Final Answer: The final answer is 5"
        if again := _SAID.search(words):
            words = next(group for group in again.groups() if group is not None)
    words = unwrap(words.replace("**", "") if words.count("**") % 2 else words)
    return _value_in(unwrap(_SENTENCE_END.split(words, maxsplit=1)[0])) or None


def _value_in(sentence: str) -> str:
    """What a sentence states: its one emphasized number, else its only number, else the sentence."""
    if _NEGATED.search(sentence):
        return sentence
    stated = _bold_number(sentence) or sentence
    numerals = _NUMERAL.findall(stated) if _PROSE.search(stated) else []
    return numerals[0] if len(numerals) == 1 else stated


def _bold_number(line: str) -> str | None:
    """The only one of its bold parts that holds a number."""
    bold = [part for part in _BOLD.findall(line) if any(sign.isdigit() for sign in part)]
    return unwrap(bold[0]) if len(set(bold)) == 1 else None


def _last_line(text: str, *, alone: bool) -> str | None:
    """The last line with something in it, when it is an expression, or what its last sentence states;
    `alone`: whatever it is, if it is the only one."""
    lines = [line.strip() for line in text[-4 * MAX_LINE :].splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines[-1]) > MAX_LINE or (len(lines) == 1 and len(text.strip()) > MAX_LINE):
        return _concluded(text[-MAX_LINE:].splitlines()[-1], cut=True)
    line = unwrap(_HOPE.sub("", lines[-1]))
    bold = None if _NEGATED.search(line) else _bold_number(line)
    if bold:
        return _value_in(bold)
    if labelled := _LABELLED.fullmatch(line):
        return labelled[1]
    whole = line != lines[-1].rstrip(".。") and not _PROSE.search(_IN_TEXT.sub("", line))
    if (alone and len(lines) == 1) or whole or not _PROSE.search(line):
        return line
    return _concluded(line, cut=False)


def _concluded(line: str, *, cut: bool) -> str | None:
    """What the last sentence states: "... is 5", the only formula, or in a conclusion the only number."""
    sentences = [part.strip() for part in _NEW_SENTENCE.split(_HOPE.sub("", line)) if part.strip(" .")]
    if not sentences or line.endswith("?") or (cut and len(sentences) < 2):
        return None
    sentence = _CORRECTED.sub(" ", sentences[-1].rstrip(". "))
    if _NEGATED.search(sentence) or _ASKS.search(sentence):
        return None
    formulas = re.findall(_FORMULA, sentence)
    if (stated := _STATES.search(sentence)) and len(_STATED_TWICE.findall(sentence)) < 2:
        return unwrap(stated["value"])
    numerals = _NUMERAL.findall(re.sub(_FORMULA, " ", sentence))
    if len(formulas) == 1 and not numerals:
        return unwrap(formulas[0])
    return numerals[0] if len(numerals) == 1 and not formulas and _CONCLUDES.match(sentence) else None
