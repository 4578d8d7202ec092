r"""What an answer says, behind its value, of a letter in it: f(x)=cx "for any constant c", 2n-1 "(n\ge1)"."""

from __future__ import annotations

import re

_LETTER = r"(?:[A-Za-z]|\\(?:alpha|beta|theta|lambda|mu|omega|phi)(?![a-z]))(?:_\{?\w\}?)?"
_LETTERS = rf"{_LETTER}(?:\s?(?:,|and)\s?{_LETTER})*"
_NUMBER = r"[+-]?(?:\d+(?:\.\d+)?|\\frac\{\d+\}\{\d+\}|\d*\\pi(?![a-z])|\\infty(?![a-z]))"
_SET = r"(?:\\(?:mathbb|text|mathcal)\s?\{?[ZNQRC]\}?|[ZNQRC])(?:[\^_]\{?(?:[*+-]|>0|\\ge\s?0|\\ne\s?0)\}?)*"
_SIGN = r"\s?(?:<|>|\\(?:le|ge|ne)(?![a-z]))\s?"
_KIND = (
    r"(?:(?:any|all|every|each|some|an?|the|of|arbitrary|real|rational|complex|positive|negative|nonnegative"
    r"|non-?\s?zero|integers?|integral|natural|whole|fixed|given|constants?|numbers?|values?|parameters?|scalars?)\b\s?)+"
)
_IN_CHINESE = r"(?:任意|任何|一切|正|负|非零|实|整|有理|自然)*(?:常数|实数|整数|自然数|数)"
_ONE = (
    rf"(?:{_LETTERS}\s?\\in\s?{_SET}|(?:{_NUMBER}{_SIGN})?{_LETTERS}(?:{_SIGN}(?:{_NUMBER}|{_LETTER}))"
    rf"|{_LETTERS}\s?(?:is|are|being)\s?{_KIND}|{_LETTERS}\s?[为是]{_IN_CHINESE}|{_IN_CHINESE}{_LETTERS})"
)
_LEAD = r"(?:for|where|with|when|if|provided(?:\sthat)?|as long as|其中|这里|对于?|当)\s?"
_CONDITION = re.compile(
    rf"[,;]?\s?\(?(?:{_LEAD}(?:{_KIND}(?:{_LETTERS})(?:\s?\\in\s?{_SET})?|(?:{_KIND})?{_ONE})|{_ONE})"
    rf"(?:\s?(?:,|and|且)\s?(?:{_ONE}))*\)?时?"
)
_MAY_BEGIN = re.compile(rf"[,;(]|\\text\{{|(?<![A-Za-z\\]){_LEAD}")
_HINT = re.compile(
    r"\\in(?![a-z])|\\[lgn]e(?![a-z])|[<>]|for|where|with|when|if|provided|constant|其中|这里|对|当|数"
)
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_BOUNDS = re.compile(r"[<>]|\\[lgn]e(?![a-z])|\\in(?![a-z])")
_COMMAND = re.compile(r"\\(?!alpha|beta|theta|lambda|mu(?![a-z])|omega|phi)[A-Za-z]+")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")


def without_condition(text: str) -> tuple[str, str]:
    """An answer in canonical spelling, and what it says of a letter in it; "" where it says nothing.

    Of an inequality nothing comes off: what stands behind it may be another one.
    """
    if not _HINT.search(text):
        return text, ""
    for found in _MAY_BEGIN.finditer(text):
        value, behind = text[: found.start()], _TEXT.sub(r" \1 ", text[found.start() :])
        behind = " ".join(behind.split())
        if not value or _BOUNDS.search(value) or not _CONDITION.fullmatch(behind):
            continue
        said_of = set(re.findall(_LETTER, _COMMAND.sub(" ", _WORD.sub(" ", behind))))
        if said_of & set(re.findall(_LETTER, _COMMAND.sub(" ", value))):
            return value, behind.strip(",;() ")
    return text, ""
