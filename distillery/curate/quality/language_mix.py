"""Words of another language slipped into a text: code-switching, not quotation.

Shares do not show it (three Chinese characters in a long English thought are 0.1 %), so words are counted, of
the same prose that the language reward counts. Nobody's slip are the scripts and languages of the question
and those that it asks for, what is quoted where the text says what it is, names, and Greek letters. In a text
that is not in Latin letters a Latin word is a term, unless it is one of the plain English words listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import polars as pl

from distillery.installed.word_lists import word_lists
from distillery.verify.identify import Stretch, code_of, foreign_stretches, hints_of, marks_in, named_in
from distillery.verify.language import question_language, share_of
from distillery.verify.prose import prose, scripts_of, words_of

_LATIN = "latin"
_TOLD = {
    *(
        "arabic",
        "armenian",
        "bengali",
        "cyrillic",
        "devanagari",
        "ethiopic",
        "georgian",
        "gujarati",
        "gurmukhi",
    ),
    *("han", "hangul", "hebrew", "kana", "kannada", "khmer", "lao", "malayalam", "myanmar", "sinhala"),
    *("tamil", "telugu", "thai"),
}
"""Scripts whose words are never notation."""
_QUOTED = re.compile(
    r"(?:\"[^\"\n]{1,80}\"|“[^”\n]{1,80}”|「[^」\n]{1,80}」|『[^』\n]{1,80}』|《[^》\n]{1,80}》|(?<!\w)'[^'\n]{1,20}'(?!\w))"
    r"(?:\s?[(（][^()（）\n]{1,40}[)）])?"  # its translation
)
_LANGUAGE = (
    r"\b(?:Arabic|Bengali|Bulgarian|Cantonese|Chinese|Cyrillic|Farsi|Hebrew|Hindi|Japanese|Kanji|Korean|Mandarin|Persian"
    r"|Russian|Serbian|Tamil|Telugu|Thai|Ukrainian|Urdu)\b"
)
_NAMING = re.compile(
    _LANGUAGE + r"[^.!?\n]*\Z|\b(?:characters?|letters?|symbols?)\b[^.!?\n]{0,30}\Z", re.IGNORECASE
)
_QUOTING = re.compile(  # besides, before and behind a quotation
    r"\b(?:book|called|idiom|label|movie|film|named?|novel|phrase|poem|proverb|quotes?|saying|says|sign|song|spelled"
    r"|term|text|title|translat\w+|words?|wr(?:ote|itten?))\b[^.!?\n]{0,40}\Z",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    rf"[^.!?\n]{{0,60}}(?:\bmean(?:s|ing)?\b|\btranslat|\bpronounced\b|{_LANGUAGE})", re.IGNORECASE
)
_NAME = re.compile(  # a name with its own spelling: "… by Liu Hui (刘徽)"
    r"(?:[A-Z][\w'’-]*\s|(?<=[a-z,]\s))[A-Z][\w'’-]*\s?[(（][^()（）\n\x00-\x7f]{1,12}[)）]"
)
_SIGN = re.compile(r"(?<![^\W\d_])[\u0400-\u08ff](?![^\W\d_])")  # a letter alone, as Ш and א in formulas
_RUN = re.compile(r"[^\x00-\u03ff\u2000-\u303e]+")
# characters: how far before it a language is named, and how long what is named can be
_NEAR, _MENTIONED = 100, 12
# English words as short as a variable's name
_SHORT = "all and are but can do for get has if in is it let not now of one or so the to two use was we you"
_TERM = re.compile(  # among other letters than Latin: a gloss, a name, a variable, an identifier or a call
    r"[(（][A-Za-z][A-Za-z ,.'’-]{0,60}[)）]|(?<![A-Za-z])(?:[A-Z][A-Za-z0-9_.'’-]*"
    rf"|(?!(?:{_SHORT.replace(' ', '|')})(?![A-Za-z]))[a-z]{{1,3}}(?![A-Za-z])"
    r"|[A-Za-z][A-Za-z0-9_]*[_\d(（=.\[][A-Za-z0-9_]*)|&[A-Za-z0-9_]{2,6};"
)
_LATIN_SENTENCE = re.compile(r"(?<![A-Za-z'’-])[A-Za-z][A-Za-z'’-]*(?:[ ,;]+[A-Za-z][A-Za-z'’-]*){7,}")
_MARKED = re.compile(
    r"[\u0370-\u03ff\u1f00-\u1fff]{3}|[^\W\d_\x00-\x7fªµº\u0370-\u03ff\u1f00-\u1fff\u2100-\u214f\U0001d400-\U0001d7ff]"
)
"""Letters that no English word and no formula has, or a Greek word: of a line, and of a text for polars."""
_MARKED_TEXT = r"\p{Greek}{3}|[\p{L}--\p{Greek}--[\x00-\x7fªµº\u2100-\u214f\x{1d400}-\x{1d7ff}]]"
_LATIN_RUN = re.compile(
    r"(?<![A-Za-z0-9_.\\/&@#-])[A-Za-z'’]+(?:(?: ?,)? [A-Za-z'’]+)*(?![A-Za-z0-9_(\[=/&@-]|\.\w)"
)
_JOINING = {"a", "an", "of", "the", "to"}  # as in terms: state of the art
_SIGNS = " ,.!?，。、：:！？"
_GLOSS = re.compile(r"[(（][^()（）\n]{0,200}[)）]")
_WORD = re.compile(r"[A-Za-z][a-z]{2,}")  # not the name of a point, a line or a number
_LATIN_WORD = re.compile(r"[A-Za-z'’]+")
_MIN_WORDS, _LONG = 4, 6  # of a sentence: such words, and words among other letters


def may_mix(texts: pl.Series, languages: Sequence[str]) -> list[bool]:
    """For each of the texts, whether `slip` could find something in it, its language being that."""
    columns = {"text": texts, "language": pl.Series(languages, dtype=pl.String)}
    table = pl.DataFrame(columns).with_row_index("row")
    found = [True] * table.height
    for (language,), rows in table.group_by("language"):
        if _LATIN not in scripts_of(str(language)):
            continue
        letters = rows["text"].str.contains(_MARKED_TEXT)
        hints = [f" {word} " for word in sorted(hints_of(str(language)))]
        hinted = rows["text"].str.contains_any(hints)
        for row, may in zip(rows["row"], letters | hinted, strict=True):
            found[row] = may
    return found


def slip(
    text: str, language: str, *, question: str = "", min_share: float = 0.7, min_foreign: int = 8
) -> str | None:
    """What is foreign in `text`, in words; None when nothing is, or when it holds no words at all.

    A share below `min_share` counts from `min_foreign` foreign words on: fewer are terms and names.
    """
    wanted, asked_for = scripts_of(language), named_in(question)
    excused = wanted.union(*map(scripts_of, asked_for or ()), question_language(question).scripts)
    if asked_for is None:
        excused |= {*_TOLD, _LATIN}
    latin = _LATIN in wanted
    unquoted = text if latin else _QUOTED.sub(" ", text)
    words = _told(text, language) if latin else prose(_TERM.sub(" ", unquoted), only=_not_ascii)
    counts = words_of("\n".join(filter(_MARKED.search, words.split("\n"))))
    if found := _other_script(counts, excused, language):
        return found
    stretches = list(foreign_stretches(words, language))
    if asked_for is not None and (found := _nobodys(stretches, language, question, asked_for)):
        return found
    foreign = sum(stretch.words for stretch in stretches)
    if foreign + sum(count for name, count in counts.items() if name not in wanted) >= min_foreign:
        counts = words_of(_without_mentions(prose(text)) if latin else words)
        share = share_of(counts, language) or 0.0
        if (share := share - foreign / sum(counts.values())) < min_share:
            return f"{max(share, 0.0):.2f} of the words are {language}, least is {min_share:g}"
    return None if latin else _latin_words(unquoted, language, question, asked=_LATIN in excused)


def _told(text: str, language: str) -> str:
    """Of a text in Latin letters, the prose of those lines in which something foreign can stand."""
    marks = marks_in(text, language)

    def may(line: str) -> bool:
        return bool(_MARKED.search(line)) or any(mark in line for mark in marks)

    return _without_mentions(_SIGN.sub(" ", prose(text, only=may)))


def _not_ascii(line: str) -> bool:
    return not line.isascii()


def _other_script(counts: dict[str, float], excused: frozenset[str], language: str) -> str | None:
    foreign = {name: count for name, count in counts.items() if name in _TOLD - excused}
    if not foreign:
        return None
    shown = ", ".join(f"{count:g} {name}" for name, count in sorted(foreign.items()))
    return f"words of another script in a text that is to be {language}: {shown}"


def _nobodys(
    stretches: Sequence[Stretch], language: str, question: str, asked_for: frozenset[str]
) -> str | None:
    """A stretch that is neither in the question's language nor in one that it quotes or asks for."""
    if not stretches:
        return None
    quoted = {stretch.language for stretch in foreign_stretches(prose(question), language)}
    spoken = {*asked_for, *quoted, code_of(question_language(question).language)}
    found = next((stretch for stretch in stretches if stretch.language not in spoken), None)
    return found and f"a stretch of {found.language} in a text that is to be {language}: {found.text[:60]!r}"


def _latin_words(unquoted: str, language: str, question: str, *, asked: bool) -> str | None:
    """Of a text in other letters: an English sentence, or plain English words among its own."""
    if not asked:
        found = (match[0] for match in _LATIN_SENTENCE.finditer(unquoted))
        if sentence := next((one for one in found if len(_WORD.findall(one)) >= _MIN_WORDS), None):
            return f"a sentence that is not {language}: {sentence[:60]!r}"
    words = _GLOSS.sub(" ", prose(unquoted))
    plain = _plain_words()
    for match in _LATIN_RUN.finditer(words):
        run = _LATIN_WORD.findall(match[0])
        told = plain.issuperset(run) or (len(run) > 2 and len(plain.intersection(run) - _JOINING) > 1)
        long = len(run) >= _LONG and sum(len(word) > 2 and word.islower() for word in run) >= _MIN_WORDS
        sides = (told or long) and match[0] not in question and _other_sides(words, match)
        if sides and (sides == 2 or len(run) >= _LONG):
            return f"English words in a text that is to be {language}: {match[0][:60]!r}"
    return None


def _other_sides(words: str, match: re.Match[str]) -> int:
    """On how many sides of it letters stand that are not Latin, signs and spaces apart."""
    before = words[max(0, match.start() - 4) : match.start()].rstrip(_SIGNS)[-1:]
    after = words[match.end() : match.end() + 4].lstrip(_SIGNS)[:1]
    return sum(side.isalpha() and not side.isascii() for side in (before, after))


@cache
def _plain_words() -> frozenset[str]:
    return frozenset(word_lists(__file__)["plain_english"].split())


def _without_mentions(words: str) -> str:
    """Without what is quoted or named in another script, where the text says what it is."""

    def quoted(match: re.Match[str]) -> str:
        foreign = sum(map(len, _RUN.findall(match[0])))
        if not foreign or foreign < sum(map(str.isalpha, match[0].partition("(")[0])) / 2:
            return match[0]  # words among those of the text's own language
        before = words[max(0, match.start() - _NEAR) : match.start()]
        told_before = _NAMING.search(before) or _QUOTING.search(before)
        told = match[0][-1] in ")）》" or told_before or _EXPLAINED.match(words, match.end())
        return " " if told else match[0]

    def kept(run: re.Match[str]) -> str:
        before = unquoted[max(0, run.start() - _NEAR) : run.start()]
        return " " if len(run[0]) <= _MENTIONED and _NAMING.search(before) else run[0]

    if words.isascii():
        return words
    unquoted = _NAME.sub(" ", _QUOTED.sub(quoted, words))
    return _RUN.sub(kept, unquoted)
