"""IFEval's 25 instructions by their published ids, and what each asks of a response.

They hold where IFEval's own code says so, with these differences: keywords are words and not regexes; every script's
comma is a comma; one option only counts as a constrained response; sentences, capital words and languages are told
without nltk and langdetect (see `instruction_words`, `instruction_language`). All are linear in the response.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import StrEnum
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


def _has_keywords(text: str, *, keywords: list[str]) -> bool:
    return all(_occurrences(keyword, text) for keyword in keywords)


def _keyword_frequency(text: str, *, keyword: str, frequency: int, relation: str) -> bool:
    return _compare(_occurrences(keyword, text), relation, frequency)


def _lacks_words(text: str, *, forbidden_words: list[str]) -> bool:
    return not any(_occurrences(word, text, whole=True) for word in forbidden_words)


def _letter_frequency(text: str, *, letter: str, let_frequency: int, let_relation: str) -> bool:
    return _compare(text.lower().count(letter.strip().lower()), let_relation, let_frequency)


def _number_sentences(text: str, *, num_sentences: int, relation: str) -> bool:
    return _compare(len(sentences(text)), relation, num_sentences)


def _number_words(text: str, *, num_words: int, relation: str) -> bool:
    return _compare(count_words(text), relation, num_words)


def _number_paragraphs(text: str, *, num_paragraphs: int) -> bool:
    """Between markdown's ***; only the first and the last piece may be empty."""
    pieces = text.split("***")
    if not all(piece.strip() for piece in pieces[1:-1]):
        return False
    return sum(bool(piece.strip()) for piece in pieces) == num_paragraphs


def _nth_paragraph(text: str, *, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Between empty lines."""
    paragraphs = [piece.strip() for piece in text.split("\n\n") if piece.strip()]
    if len(paragraphs) != num_paragraphs or not 1 <= nth_paragraph <= num_paragraphs:
        return False
    start, wanted = paragraphs[nth_paragraph - 1].lower(), first_word.strip().lower()
    if is_unspaced(wanted[-1]):
        return start.lstrip("'\"“「").startswith(wanted)
    return re.split(r"[.,?!'\"]", start.split()[0].lstrip("'").lstrip('"'), maxsplit=1)[0] == wanted


def _number_placeholders(text: str, *, num_placeholders: int) -> bool:
    count = 0
    for line in text.split("\n"):
        end = -1
        while (begin := line.find("[", end + 1)) >= 0 and (end := line.find("]", begin)) >= 0:
            count += 1
    return count >= num_placeholders


def _has_postscript(text: str, *, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    pattern = _POSTSCRIPTS.get(marker)
    return bool(pattern.search(text.lower())) if pattern else marker.lower() in text.lower()


def _number_bullets(text: str, *, num_bullets: int) -> bool:
    lines = [line.lstrip() for line in text.split("\n")]
    starred = [line for line in lines if line.startswith("*") and len(line) > 1 and line[1] != "*"]
    return len(starred) + sum(line.startswith("-") for line in lines) == num_bullets


def _is_constrained(text: str) -> bool:
    return sum(option in text for option in _OPTIONS) == 1


def _number_highlights(text: str, *, num_highlights: int) -> bool:
    found = [*_HIGHLIGHT.findall(text), *_BOLD.findall(text)]
    return sum(bool(inside.strip()) for inside in found) >= num_highlights


def _has_sections(text: str, *, section_spliter: str, num_sections: int) -> bool:
    return len(re.findall(re.escape(section_spliter.strip()) + r"\s?\d", text)) >= num_sections


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


def _repeats(text: str, *, prompt_to_repeat: str) -> bool:
    return text.strip().lower().startswith(prompt_to_repeat.strip().lower())


def _ends_with(text: str, *, end_phrase: str) -> bool:
    return text.strip().strip('"').lower().endswith(end_phrase.strip().lower())


def _is_quoted(text: str) -> bool:
    text = text.strip()
    return len(text) > 1 and text[-1] in _QUOTES.get(text[0], "")


def _capital_words(text: str, *, capital_frequency: int, capital_relation: str) -> bool:
    return _compare(capital_words(text), capital_relation, capital_frequency)


def _response_language(text: str, *, language: str) -> bool:
    return is_in(text, language)


def _is_english_capital(text: str) -> bool:
    return text.isupper() and is_in(text, "en")


def _is_english_lowercase(text: str) -> bool:
    return text.islower() and is_in(text, "en")


def _has_no_comma(text: str) -> bool:
    return not _COMMAS.search(text)


_COUNT, _TEXT, _RELATION = Argument.COUNT, Argument.TEXT, Argument.RELATION
RULES: dict[str, Rule] = {
    "keywords:existence": Rule(_has_keywords, {"keywords": Argument.TEXTS}),
    "keywords:frequency": Rule(
        _keyword_frequency, {"keyword": _TEXT, "frequency": _COUNT, "relation": _RELATION}
    ),
    "keywords:forbidden_words": Rule(_lacks_words, {"forbidden_words": Argument.TEXTS}),
    "keywords:letter_frequency": Rule(
        _letter_frequency, {"letter": Argument.LETTER, "let_frequency": _COUNT, "let_relation": _RELATION}
    ),
    "language:response_language": Rule(_response_language, {"language": Argument.LANGUAGE}),
    "length_constraints:number_sentences": Rule(
        _number_sentences, {"num_sentences": _COUNT, "relation": _RELATION}
    ),
    "length_constraints:number_paragraphs": Rule(_number_paragraphs, {"num_paragraphs": _COUNT}),
    "length_constraints:number_words": Rule(_number_words, {"num_words": _COUNT, "relation": _RELATION}),
    "length_constraints:nth_paragraph_first_word": Rule(
        _nth_paragraph, {"num_paragraphs": _COUNT, "nth_paragraph": _COUNT, "first_word": _TEXT}
    ),
    "detectable_content:number_placeholders": Rule(_number_placeholders, {"num_placeholders": _COUNT}),
    "detectable_content:postscript": Rule(_has_postscript, {"postscript_marker": _TEXT}),
    "detectable_format:number_bullet_lists": Rule(_number_bullets, {"num_bullets": _COUNT}),
    "detectable_format:constrained_response": Rule(_is_constrained, {}),
    "detectable_format:number_highlighted_sections": Rule(_number_highlights, {"num_highlights": _COUNT}),
    "detectable_format:multiple_sections": Rule(
        _has_sections, {"section_spliter": _TEXT, "num_sections": _COUNT}
    ),
    "detectable_format:json_format": Rule(_is_json, {}),
    "detectable_format:title": Rule(_has_title, {}),
    "combination:two_responses": Rule(_are_two, {}),
    "combination:repeat_prompt": Rule(_repeats, {"prompt_to_repeat": _TEXT}),
    "startend:end_checker": Rule(_ends_with, {"end_phrase": _TEXT}),
    "startend:quotation": Rule(_is_quoted, {}),
    "change_case:capital_word_frequency": Rule(
        _capital_words, {"capital_frequency": _COUNT, "capital_relation": _RELATION}
    ),
    "change_case:english_capital": Rule(_is_english_capital, {}),
    "change_case:english_lowercase": Rule(_is_english_lowercase, {}),
    "punctuation:no_comma": Rule(_has_no_comma, {}),
}
