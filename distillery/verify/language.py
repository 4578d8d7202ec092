"""How much of a thought is in the wanted language: Num(words in it) / Num(words), as R1's language reward.

Words of other scripts count by `prose`, stretches in another language of the same script by `identify`. A
row that does not say its language is held to that of its question, or, where this has none (a bare formula),
to the one that most of the thought is in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from distillery.reasoning import split
from distillery.records import Outcome, Problem, Thinking, Verdict
from distillery.verify.base import Checker
from distillery.verify.identify import foreign_stretches, is_known, language_of, named_in
from distillery.verify.prose import GREEK, HAN, HANGUL, KANA, prose, scripts_of, words_of

MIN_SHARE = 0.95  # a thought above it counts as being in its language; payload option "min_share"
_QUOTED = re.compile(r"\"[^\"\n]+\"|“[^”\n]+”|「[^」\n]+」|《[^》\n]+》")
_THOUGHT = re.compile(r"<think>(.*?)(?:</think>|\Z)", re.DOTALL)
_GIVEN = re.compile(r"[:：\n]")
_LOOKED_AT = 4_000  # characters of a thought whose language is asked
_MOST = 0.8  # of a question's words, in one script: "Translate 我爱你 into English" has two languages


def check(problem: Problem, text: str, /) -> Verdict:
    """The score is the share itself; CORRECT from `min_share` up.

    A thought with no words at all is NO_ANSWER where a thought is wanted, and CORRECT where none is. Where
    neither row nor question nor thought tells the language, nothing can be held to it: NO_GOLD.
    """
    try:
        least = float(problem.options.get("min_share", MIN_SHARE))
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    words = prose(_thoughts(text))
    if not words_of(words):
        if problem.thinking == Thinking.OFF:
            return Verdict(Outcome.CORRECT, 1.0, detail="no thought, and none is wanted")
        return Verdict.no_answer("no words in the thought")
    language = wanted_language(problem.language, problem.question, text)
    if not language:
        return Verdict(Outcome.NO_GOLD, detail="neither row nor question nor thought tells the language")
    share = _share(words, language) or 0.0
    outcome = Outcome.CORRECT if share >= least else Outcome.WRONG
    return Verdict(outcome, share, detail=f"{share:.3f} of the words are {language}")


def _thoughts(text: str) -> str:
    """Also what stands in further think tags behind the first ones."""
    reasoning, answer = split(text)
    return "\n".join([reasoning or "", *_THOUGHT.findall(answer or "")])


def wanted_language(given: str | None, question: str, text: str) -> str:
    """What the row says, else what its question is in, else the thought of `text`, a completion (without a
    thought, its answer); "" where none of them tells."""
    if given and is_known(given):
        return given
    asked = question_language(question)
    if asked.language:
        return asked.language
    reasoning, answer = split(text)
    found = language_of(prose((reasoning or answer or "")[:_LOOKED_AT])) or ""
    scripts = asked.scripts - {GREEK}  # letters of formulas
    return found if found and (not scripts or scripts_of(found) & scripts) else ""


class Asked(NamedTuple):
    language: str  # "": it does not tell
    scripts: frozenset[str]  # of its words


@lru_cache(maxsize=4096)  # one question has many answers
def question_language(question: str) -> Asked:
    """By the words that ask: not those that are quoted, or stand behind the colon of a translation."""
    asking = _QUOTED.sub(" ", question)
    if named_in(question) != frozenset():
        asking = _GIVEN.split(asking, maxsplit=1)[0]
    words = prose(asking)
    return Asked(language_of(words, least=_MOST) or "", frozenset(words_of(prose(question))))


def language_share(text: str, language: str) -> float | None:
    """In [0, 1]; None without a word of any language. Of an ISO 639-1 code a region ("zh-CN") is ignored."""
    return _share(prose(text), language)


def _share(words: str, language: str) -> float | None:
    counts = words_of(words)
    share = share_of(counts, language)
    if not share:
        return share
    other = sum(stretch.words for stretch in foreign_stretches(words, language))
    return max(0.0, share - other / sum(counts.values()))


def share_of(words: Mapping[str, float], language: str) -> float | None:
    """`language_share` by scripts alone, of a text whose `script_words` are known."""
    if not (total := sum(words.values())):
        return None
    wanted = set(scripts_of(language))
    if KANA in wanted and not words.get(KANA):
        wanted = {KANA}  # Han characters alone, without any kana, are Chinese and not Japanese
    if HANGUL in wanted and not words.get(HANGUL):
        wanted = {HANGUL}
    if wanted == {HAN} and words.get(KANA, 0) > 0.1 * total:
        return 0.0  # with that much kana the Han characters are Japanese
    return sum(count for script, count in words.items() if script in wanted) / total


def gold_fault(problem: Problem) -> str | None:
    if problem.language and is_known(problem.language):
        return None
    told = question_language(problem.question).language
    return None if told else "neither the problem nor its question tells a language"


CHECKER = Checker(check, gold_fault=gold_fault)
