"""IFEval's 25 instructions by their published ids, and what each asks of a response.

They hold where IFEval's own code says so, with these differences: keywords are words and not regexes; every
script's comma is a comma; one option only counts as a constrained response; sentences, capital words and
languages are told without nltk and langdetect (see `words`, `languages`). All are linear in the response.
"""

# pyright: reportUnknownLambdaType=false
from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
from inspect import signature
from typing import Any, NamedTuple

from distillery.verify.instruction.languages import LANGUAGES, is_in
from distillery.verify.instruction.words import capital_words, count_words, is_unspaced, sentences

_MAX_COUNT = 1_000_000
_RELATIONS = ("at least", "less than")
_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_COMMAS = re.compile("[,，､、،﹐﹑]")
_QUOTES = {'"': '"', "“": "”", "„": "“”", "＂": "＂"}  # what may close each
_POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}
_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_BOLD = re.compile(r"\*\*([^\n*]*)\*\*")


class Argument(StrEnum):
    """What an argument can be, in the words of the error message."""

    COUNT = "a whole number, 0 or more"
    TEXT = "a text that is not empty"
    TEXTS = "a list of texts that are not empty"
    RELATION = "'at least' or 'less than'"
    LETTER = "one character"
    LANGUAGE = f"one of the languages that can be told: {', '.join(sorted(LANGUAGES))}"

    def accepts(self, value: Any) -> bool:
        match self:
            case Argument.COUNT:
                return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_COUNT
            case Argument.TEXTS:
                return isinstance(value, list) and bool(value) and all(map(Argument.TEXT.accepts, value))
            case Argument.RELATION:
                return value in _RELATIONS
            case Argument.TEXT:
                return isinstance(value, str) and bool(value.strip())
            case Argument.LETTER:
                return isinstance(value, str) and len(value.strip()) == 1
            case Argument.LANGUAGE:
                return isinstance(value, str) and value.lower().partition("-")[0] in LANGUAGES


class Rule(NamedTuple):
    holds: Callable[..., bool]  # (response, **arguments)
    arguments: dict[str, Argument]


def _compare(count: int, relation: str, threshold: int) -> bool:
    return count >= threshold if relation == "at least" else count < threshold


def _occurrences(keyword: str, text: str, *, whole: bool = False) -> int:
    """Case ignored. Without `whole` also inside of longer words, as IFEval has it."""
    keyword = keyword.strip()
    pattern = re.escape(keyword)
    if whole:  # a script without spaces has no edges of words
        before = "" if is_unspaced(keyword[0]) or not keyword[0].isalnum() else r"(?<!\w)"
        after = "" if is_unspaced(keyword[-1]) or not keyword[-1].isalnum() else r"(?!\w)"
        pattern = f"{before}{pattern}{after}"
    return len(re.findall(pattern, text, re.IGNORECASE))


def _number_paragraphs(text: str, num_paragraphs: int) -> bool:
    """Between markdown's ***; only the first and the last piece may be empty."""
    filled = [bool(piece.strip()) for piece in text.split("***")]
    return all(filled[1:-1]) and sum(filled) == num_paragraphs


def _nth_paragraph(text: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Between empty lines."""
    paragraphs = [piece.strip() for piece in text.split("\n\n") if piece.strip()]
    if len(paragraphs) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    start, wanted = paragraphs[nth_paragraph - 1].lower(), first_word.strip().lower()
    if is_unspaced(wanted[-1]):
        return start.lstrip("'\"“「").startswith(wanted)
    return re.split(r"[.,?!'\"]", start.split()[0].lstrip("'").lstrip('"'), maxsplit=1)[0] == wanted


def _number_placeholders(text: str, num_placeholders: int) -> bool:
    count = 0
    for line in text.split("\n"):
        end = -1
        while (begin := line.find("[", end + 1)) >= 0 and (end := line.find("]", begin)) >= 0:
            count += 1
    return count >= num_placeholders


def _has_postscript(text: str, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    pattern = _POSTSCRIPTS.get(marker)
    return bool(pattern.search(text.lower())) if pattern else marker.lower() in text.lower()


def _number_bullets(text: str, num_bullets: int) -> bool:
    lines = [line.lstrip() for line in text.split("\n")]
    starred = [line for line in lines if line.startswith("*") and len(line) > 1 and line[1] != "*"]
    return len(starred) + sum(line.startswith("-") for line in lines) == num_bullets


def _number_highlights(text: str, num_highlights: int) -> bool:
    found = [*_HIGHLIGHT.findall(text), *_BOLD.findall(text)]
    return sum(bool(inside.strip()) for inside in found) >= num_highlights


def _is_json(text: str) -> bool:
    """In a fence of markdown or not."""
    inside = re.sub(r"^```(?:json)?", "", text.strip(), flags=re.IGNORECASE).removesuffix("```")
    try:
        json.loads(inside.strip())
    except (ValueError, RecursionError):
        return False
    return True


def _has_title(text: str) -> bool:
    for line in text.split("\n"):
        begin, end = line.find("<<"), line.rfind(">>")
        if 0 <= begin < end and line[begin : end + 2].lstrip("<").rstrip(">").strip():
            return True
    return False


def _are_two(text: str) -> bool:
    pieces = [piece.strip() for piece in text.split("******")]
    filled = [piece for piece in pieces if piece]
    return all(pieces[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


def _is_quoted(text: str) -> bool:
    text = text.strip()
    return len(text) > 1 and text[-1] in _QUOTES.get(text[0], "")


_NAMES = {
    Argument.COUNT: "frequency let_frequency capital_frequency nth_paragraph num_sentences num_words "
    "num_paragraphs num_placeholders num_bullets num_highlights num_sections",
    Argument.TEXT: "keyword first_word postscript_marker section_spliter prompt_to_repeat end_phrase",
    Argument.TEXTS: "keywords forbidden_words",
    Argument.RELATION: "relation let_relation capital_relation",
    Argument.LETTER: "letter",
    Argument.LANGUAGE: "language",
}
_ARGUMENTS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
# their arguments are what _NAMES says
_HOLDS: dict[str, Callable[..., bool]] = {
    "keywords:existence": lambda text, keywords: all(_occurrences(word, text) for word in keywords),
    "keywords:frequency": lambda text, keyword, frequency, relation: _compare(
        _occurrences(keyword, text), relation, frequency
    ),
    "keywords:forbidden_words": lambda text, forbidden_words: (
        not any(_occurrences(word, text, whole=True) for word in forbidden_words)
    ),
    "keywords:letter_frequency": lambda text, letter, let_frequency, let_relation: _compare(
        text.lower().count(letter.strip().lower()), let_relation, let_frequency
    ),
    "language:response_language": is_in,
    "length_constraints:number_sentences": lambda text, num_sentences, relation: _compare(
        len(sentences(text)), relation, num_sentences
    ),
    "length_constraints:number_paragraphs": _number_paragraphs,
    "length_constraints:number_words": lambda text, num_words, relation: _compare(
        count_words(text), relation, num_words
    ),
    "length_constraints:nth_paragraph_first_word": _nth_paragraph,
    "detectable_content:number_placeholders": _number_placeholders,
    "detectable_content:postscript": _has_postscript,
    "detectable_format:number_bullet_lists": _number_bullets,
    "detectable_format:constrained_response": lambda text: sum(option in text for option in _OPTIONS) == 1,
    "detectable_format:number_highlighted_sections": _number_highlights,
    "detectable_format:multiple_sections": lambda text, section_spliter, num_sections: (
        len(re.findall(re.escape(section_spliter.strip()) + r"\s?\d", text)) >= num_sections
    ),
    "detectable_format:json_format": _is_json,
    "detectable_format:title": _has_title,
    "combination:two_responses": _are_two,
    "combination:repeat_prompt": lambda text, prompt_to_repeat: (
        text.strip().lower().startswith(prompt_to_repeat.strip().lower())
    ),
    "startend:end_checker": lambda text, end_phrase: (
        text.strip().strip('"').lower().endswith(end_phrase.strip().lower())
    ),
    "startend:quotation": _is_quoted,
    "change_case:capital_word_frequency": lambda text, capital_frequency, capital_relation: _compare(
        capital_words(text), capital_relation, capital_frequency
    ),
    "change_case:english_capital": lambda text: text.isupper() and is_in(text, "en"),
    "change_case:english_lowercase": lambda text: text.islower() and is_in(text, "en"),
    "punctuation:no_comma": lambda text: not _COMMAS.search(text),
}
RULES = {
    name: Rule(holds, {argument: _ARGUMENTS[argument] for argument in list(signature(holds).parameters)[1:]})
    for name, holds in _HOLDS.items()
}
