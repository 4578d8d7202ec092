r"""Which words of a completion are its final answer, by verify/answer.

Only what stands after the thought counts. In order: all boxes there; the last <answer> tag; what the text
announces as its answer, the last time; a final line that is nothing but an expression, or whose last sentence
states one value and no other ("Hence the area equals 9.").
"""

from __future__ import annotations

import re
from typing import NamedTuple

from distillery.reasoning import boxes, split, tagged_answer
from distillery.verify.answer.phrases import FORMULA, Token, tokens
from distillery.verify.answer.places import final_boxes, under_heading, unwrap
from distillery.verify.answer.reader import Picked, Statement, Weight, settle
from distillery.verify.answer.spoken import spoken
from distillery.verify.math.numerals import number
from distillery.verify.math.spelling import canonical

MAX_LINE = 400  # characters of a line that can still be an answer and not a text
_MOST_BOXES = 100  # of a text, its last
_MOST_WORDS = 40_000  # characters at the end of a text in which an answer without a box is looked for

_PROSE = re.compile(
    r"(?<![\\{A-Za-z])[A-Za-z]{2,}(?=\s+[A-Za-z]{2,})|^[\u4e00-\u9fff]{2,}|[\u4e00-\u9fff]{5,}|[\u4e00-\u9fff]\d"
)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_DISPLAY = re.compile(r"\\\[((?:(?!\\\[).){1,400}?)\\\]|\$\$(.{1,400}?)\$\$", re.DOTALL)
_TEMPLATE = re.compile(  # a turn's end, as chat templates write it, and what was made up behind it
    r"(?<=\S)\s*<[|｜](?:im_end|im_start|eot_id|end_of_text|endoftext|end|user|User|end▁of▁sentence)[|｜]>"
)
_HOPE = re.compile(r"\s*I hope (?:it|this|that)[^.\n]{1,40}\.?\s*$")
_DROPPED = re.compile("[\u2705\u2713\u2714\ufe0f]")
_MARKERS = re.compile(r"^\s*(?:####|A:)(?=\s*\S)", re.MULTILINE)  # of GSM8K's answers
_NEW_SENTENCE = re.compile(
    r"[.!?](?:\s+|$)(?=[A-Z\"'(*]|$)|[。！？]|\s(?=(?:Therefore|Thus|Hence|So|Consequently)\b)"
)
_LABELLED = re.compile(
    r"[^\W\d][\w ]{0,40}?\s?:\s*([-+]?[$€£]?\d[\d.,]*\d|\d)(?:\s*[$€£%]?\s*[a-zA-Z]{0,3})\.*"
)
_SUM = re.compile(r"[\s\d.,$€£¥%()+*/×÷·−-]*\d\)?\s*[+*/×÷·−-]\s*[$€£¥(]*\d[\s\d.,$€£¥%()+*/×÷·−-]*")
_IN_TEXT = re.compile(r"\\text\s*\{[^{}]*\}")
_FORM_FEED = re.compile(r"\\?\x0c(?=rac)")  # a program's string took the \f of \frac for one
_JOINS = re.compile(r"(?i),|;|\b(?:and|or)\b|[和或、]")
_OPEN_BOX = re.compile(r"^\\{1,2}(?:boxed|fbox)\s*\{")
_WRONG = {"wrong", "incorrect", "错误", "不对", "不正确"}
_OPEN = {"if", "or", "either", "或", "或者", "还是", "如果", "若"}
_UNIT = re.compile(r"[%°a-zA-Z€£¥²³]{1,12}|[\u4e00-\u9fff]{1,4}")
_MOST_PLAIN = 5  # words of an announced text that can be an answer without one value in it
_VALUES = {"number", "formula"}


class Answer(NamedTuple):
    parts: tuple[str, ...]  # several: different boxes, in order
    missing: str = ""  # why there is nothing; "" when there is
    fault: str = ""  # why what there is commits to nothing


def final_answer(text: str, question: str = "") -> Answer:
    answer = split(text).answer
    if answer is None:
        return Answer((), "the thought was never closed")
    if not answer:
        return Answer((), "nothing after the thought")
    answer = _FORM_FEED.sub(r"\\f", _TEMPLATE.split(answer, maxsplit=1)[0])
    # an empty box is an echo of the question
    found = [unwrap(box) for box in boxes(answer)[-_MOST_BOXES:] if len(box) > MAX_LINE or canonical(box)]
    if found:
        return Answer(
            tuple(spoken(box, question) for box in final_boxes(answer, tuple(dict.fromkeys(found))))
        )
    answer = _DROPPED.sub("", answer[-_MOST_WORDS:])
    answer = _DISPLAY.sub(lambda found: f"$ {' '.join((found[1] or found[2]).split())} $", answer)
    tagged = tagged_answer(answer)
    answer = answer if tagged is None else tagged
    said, weight = settle(_MARKERS.sub("Answer:", answer), _pick)
    if weight is not None and said.fault:
        return Answer((spoken((said.yes or said.no)[0], question),), fault=said.fault)
    line, fault = (said.yes[0], "") if said.yes else _last_line(answer, alone=tagged is not None)
    if not line:
        return Answer((), fault or "no box, no <answer> tag, no final line to read")
    return Answer((spoken(line, question),))


def stated_gold(gold: str) -> str:
    """A gold as it is compared: without wrapping; of a whole solution what its boxes or its end say."""
    return spoken(_stated_gold(gold))


def _stated_gold(gold: str) -> str:
    bare = unwrap(gold)
    if "\\boxed" in bare or "\\fbox" in bare:
        found = tuple(dict.fromkeys(unwrap(box) for box in _last_listed(bare) if canonical(box)))
        if found:
            return ", ".join(under_heading(bare, found))
        return _OPEN_BOX.sub("", bare)
    if len(bare) > MAX_LINE:
        return (final_boxes(bare, ()) or (bare,))[0]
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


def _pick(statement: Statement) -> Picked:
    """What it says, where that is a value; only what is announced counts, or put in the place of that."""
    said, denied = _undenied(statement)
    if not said or not _may_say(statement, said):
        return Picked()
    at = statement.said[0].start
    written = statement.text[said[0].start - at : said[-1].end - at]
    text, values = unwrap(_even(written)), _places(said)
    if len(values) != 1 and sum("word" in token for token in said) > _MOST_PLAIN:
        return Picked()
    if len(values) == 1 and not _slice(said, written, values[0]):
        return Picked((text,), (), "no one value")
    value = _value_in(said, written, text)
    if not value or denied:
        return Picked((), (value,)) if value else Picked()
    return Picked((value,), (), "hedged" if any("hedge" in token for token in said) else "")


def _may_say(statement: Statement, said: tuple[Token, ...]) -> bool:
    values = _places(said)
    if statement.weight is Weight.JUDGED:
        return False
    if {"choose", "announce_choice"} & statement.named:
        return len(said) < 4 and any("letter" in token for token in said)
    if statement.before:
        return values == [len(said) - 1]
    return statement.weight is not Weight.CORRECTED or values[:1] == [0]


def _undenied(statement: Statement) -> tuple[tuple[Token, ...], bool]:
    """Without a "not 8 but" before the value, a ", not 8" behind it, and a "so"; and whether it is denied."""
    said, denied = statement.said, statement.negated
    for place, token in enumerate(said):
        if denied and "but" in token:
            said, denied = said[place + 1 :], False
        elif place and {"not", "except"} & token.kinds:
            said = said[: place - ("comma" in said[place - 1])]
            break
    while len(said) > 1 and said[0].kinds & {"conclude", "comma"}:
        said = said[1:]
    return said, denied


def _places(said: tuple[Token, ...]) -> list[int]:
    return [place for place, token in enumerate(said) if token.kinds & _VALUES]


def _even(text: str) -> str:
    return text.replace("**", "") if text.count("**") % 2 else text


def _value_in(said: tuple[Token, ...], written: str, text: str) -> str:
    """What a sentence states: its one emphasized number, else its only number, else the sentence."""
    if not _PROSE.search(_IN_TEXT.sub("", text)):
        return _result(text)
    if bold := _bold_number(written):
        return bold
    values = _places(said) or [place for place, token in enumerate(said) if "numeral" in token]
    return (_slice(said, written, values[0]) if len(values) == 1 else "") or text


def _slice(said: tuple[Token, ...], text: str, place: int) -> str:
    """A value with its sign, and its unit where the sentence ends with it; "" for "at least 5"."""
    end = place + 1
    before, behind = said[max(0, place - 1) : place], said[end : end + 1]
    if any("bound" in token for token in before) or any("bound_behind" in token for token in behind):
        return ""
    begin = place - any("sign" in token for token in before)
    end += any("times" in token for token in behind)
    at, tail = said[0].start, said[end:]
    value = unwrap(text[said[begin].start - at : said[end - 1].end - at])
    while tail and tail[-1].text in (".", "。", "!", "！", "*", "**"):
        tail = tail[:-1]
    if tail and _is_unit(tail) and ("formula" not in said[place] or number(canonical(value))):
        return f"{value} {text[tail[0].start - at : tail[-1].end - at]}"
    return value


def _is_unit(tail: tuple[Token, ...]) -> bool:
    """One short word behind a value, or up to four Han characters."""
    text = "".join(token.text for token in tail)
    return "join" not in tail[0] and bool(_UNIT.fullmatch(text)) and (len(tail) == 1 or not text.isascii())


def _bold_number(line: str) -> str:
    """The only one of its bold parts that holds a number."""
    bold = [part for part in _BOLD.findall(line) if any(sign.isdigit() for sign in part)]
    if len(set(bold)) != 1:
        return ""
    part = unwrap(bold[0])
    return part if not _PROSE.search(part) else _value_in(tokens(part), part, part)


def _result(text: str) -> str:
    """Of "$195,000 - $130,000 = $65,000" the right side."""
    sums, equals, value = text.rpartition("=")
    return value.strip() if equals and all(map(_SUM.fullmatch, sums.split("="))) else text


def _last_line(text: str, *, alone: bool) -> tuple[str, str]:
    """The last line with something in it, when it is an expression, or what its last sentence states, or why
    it states nothing; `alone`: whatever it is, if it is the only one."""
    lines = [line.strip() for line in text[-4 * MAX_LINE :].splitlines() if line.strip()]
    if not lines:
        return "", ""
    if len(lines[-1]) > MAX_LINE or (len(lines) == 1 and len(text.strip()) > MAX_LINE):
        return _concluded(text[-MAX_LINE:].splitlines()[-1], cut=True)
    line = unwrap(_HOPE.sub("", lines[-1]))
    if (head := tokens(line)[:1]) and "conclude" in head[0]:
        formula = line[head[0].end :].strip(" ,，")
        line = unwrap(formula) if re.fullmatch(FORMULA, formula) else line
    denied = any("not" in token or token.text.lower() in _WRONG for token in tokens(line))
    if not denied and (bold := _bold_number(line)):
        return bold, ""
    if labelled := _LABELLED.fullmatch(line):
        return labelled[1], ""
    whole = line != lines[-1].rstrip(".。") and not _PROSE.search(_IN_TEXT.sub("", line))
    prose = _PROSE.search(line)
    verb = any({"is", "yields"} & token.kinds and token.text.isalpha() for token in tokens(line))
    if whole or not (prose or verb):
        return _result(line), ""
    said = _concluded(line, cut=False, alone=alone and len(lines) == 1)
    return (_result(line), "") if not said[0] and (not prose or (alone and len(lines) == 1)) else said


def _concluded(line: str, *, cut: bool, alone: bool = False) -> tuple[str, str]:
    """What the last sentence states: "... is 5", the only formula, or in a conclusion the only number."""
    sentences = [part.strip() for part in _NEW_SENTENCE.split(_HOPE.sub("", line)) if part.strip(" .")]
    if not sentences or line.endswith(("?", "？")) or (cut and len(sentences) < 2):
        return "", ""
    text = sentences[-1].rstrip(". ")
    said = _uncorrected(tokens(text))
    text = text[said[0].start :] if said else ""
    values = _places(said)
    if fault := _uncertain(said, values):
        return "", fault
    formulas = [place for place in values if "formula" in said[place]]
    if values and _is_stated(said, values) and (value := _slice(said, text, values[-1])):
        return value, ""
    if len(formulas) == 1 and len(values) == 1:
        return _slice(said, text, formulas[0]), ""
    concludes = alone or bool(said and "conclude" in said[0])
    values = values or [place for place, token in enumerate(said) if "numeral" in token]
    return (_slice(said, text, values[0]) if len(values) == 1 and not formulas and concludes else ""), ""


def _uncertain(said: tuple[Token, ...], values: list[int]) -> str:
    words = {token.text.lower() for token in said}
    near = said[max(0, values[-1] - 2) : values[-1]] if values else ()
    denied = any({"not", "except"} & token.kinds for token in near)
    if denied or _WRONG & words or any("not" in token and re.search("not|n't", token.text) for token in said):
        return "the last sentence denies"
    if _OPEN & words or any({"hedge", "unsure"} & token.kinds for token in said):
        return "the last sentence leaves it open"
    return ""


def _is_stated(said: tuple[Token, ...], values: list[int]) -> bool:
    """Whether the sentence ends in "... is 5", and says so of no other value."""

    def verb(place: int) -> Token | None:
        while (
            place > 0 and said[place - 1].kinds & {"sign", "mark", "filler"} and "is" not in said[place - 1]
        ):
            place -= 1
        return said[place - 1] if place > 0 and said[place - 1].kinds & {"is", "yields", "it"} else None

    tail = said[values[-1] + 1 :]
    twice = [place for place in values if (found := verb(place)) and found.text.isalpha() and "is" in found]
    return verb(values[-1]) is not None and len(twice) < 2 and (not tail or _is_unit(tail))


def _uncorrected(said: tuple[Token, ...]) -> tuple[Token, ...]:
    """Without the "not 41" of "It is not 41, it is 42"."""
    for place in range(len(said) - 1):
        later = {kind for token in said[place + 2 :] for kind in token.kinds}
        if "not" in said[place] and said[place + 1].kinds & _VALUES and {"is", "but"} & later:
            begin = place - bool(place and {"it", "is"} & said[place - 1].kinds)
            return said[:begin] + said[place + 2 :]
    return said
