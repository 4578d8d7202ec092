r"""How much of a thought is in the wanted language: Num(words in it) / Num(words), as R1's language reward.

Told by script, with what is nobody's language taken out first: code, formulas, URLs, tags, digits. Languages
that share a script (English and German) are not told apart. Words are counted so that scripts without spaces
weigh the same as others: two Han characters, or two of kana, are one word; a run of any other script is one.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache
from itertools import groupby

from distillery.installed.word_lists import word_lists
from distillery.reasoning import split
from distillery.records import Outcome, Problem, Thinking, Verdict
from distillery.verify.base import Checker

MIN_SHARE = 0.95  # a thought above it counts as being in its language; payload option "min_share"

_HAN, _KANA, _HANGUL, _LATIN = "han", "kana", "hangul", "latin"
_PAIRED = {_HAN, _KANA}  # written without spaces: two characters are a word
_OPENERS = re.compile(r"```|\$\$|\\\[|\\\(|\\begin\{[^{}\n]{1,30}\}")
_CLOSERS = {"```": "```", "$$": "$$", "\\[": "\\]", "\\(": "\\)"}
_NOBODYS = re.compile(
    r"(?<!\\)\$(?!\s)[^$\n]{1,400}(?<!\s)\$"  # "$5 and $6" in prose has a space before the second sign
    r"|`[^`\n]{1,400}`|https?://\S+|www\.\S+|\\[a-zA-Z]+|</?\w{1,20}>"
    r"|\b(?:sin|cos|tan|cot|sec|csc|log|ln|exp|lim|max|min|mod|gcd|lcm|arg|det|deg)\b"
)
_RUN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_HAN_RUN = re.compile(r"[\u4e00-\u9fff]{2,}")


def check(problem: Problem, text: str, /) -> Verdict:
    """The score is the share itself; CORRECT from `min_share` up.

    A thought with no words at all is NO_ANSWER where a thought is wanted, and CORRECT where none is. A
    problem without a language has nothing to be held to: NO_GOLD.
    """
    if reason := gold_fault(problem):
        return Verdict(Outcome.NO_GOLD, detail=reason)
    try:
        least = float(problem.options.get("min_share", MIN_SHARE))
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    thought = split(text).reasoning
    share = language_share(thought or "", problem.language)
    if share is None and problem.thinking == Thinking.OFF:
        return Verdict(Outcome.CORRECT, 1.0, detail="no thought, and none is wanted")
    if share is None:
        return Verdict.no_answer("no words in the thought")
    outcome = Outcome.CORRECT if share >= least else Outcome.WRONG
    return Verdict(outcome, share, detail=f"{share:.3f} of the words are {problem.language}")


def gold_fault(problem: Problem) -> str | None:
    return None if problem.language else "the problem names no language"


def language_share(text: str, language: str) -> float | None:
    """In [0, 1]; None without a word of any language. Of an ISO 639-1 code a region ("zh-CN") is ignored."""
    return share_of(script_words(text), language)


def share_of(words: Mapping[str, float], language: str) -> float | None:
    """`language_share` of a text whose `script_words` are known."""
    if not (total := sum(words.values())):
        return None
    wanted = set(scripts_of(language))
    if _KANA in wanted and not words.get(_KANA):
        wanted = {_KANA}  # Han characters alone, without any kana, are Chinese and not Japanese
    if _HANGUL in wanted and not words.get(_HANGUL):
        wanted = {_HANGUL}
    if wanted == {_HAN} and words.get(_KANA, 0) > 0.1 * total:
        return 0.0  # with that much kana the Han characters are Japanese
    return sum(count for script, count in words.items() if script in wanted) / total


def scripts_of(language: str) -> frozenset[str]:
    """The scripts a language is written in, by their names in `script_words`."""
    code = language.lower().replace("_", "-").partition("-")[0]
    return frozenset(word_lists(__file__)["scripts"].get(code, {_LATIN}))


def script_words(text: str, *, ascii_lines: bool = True) -> dict[str, float]:
    """Words of each script in the prose of `text`. Single Latin and Greek letters are variables, not words.

    Without `ascii_lines`, only of lines with other characters: as good for the words of other scripts, and
    faster.
    """
    prose = _without_blocks(text)
    if not ascii_lines:
        prose = "\n".join(line for line in prose.split("\n") if not line.isascii())
    prose = _NOBODYS.sub(" ", prose)
    counts: dict[str, float] = {}
    if not prose.isascii():  # most of a Chinese text at once: one character stands for a run of them
        shorter = _HAN_RUN.sub("\u4e00", prose)
        if len(shorter) < len(prose):
            counts[_HAN] = (len(prose) - len(shorter)) / 2
            prose = shorter
    for run, times in Counter(_RUN.findall(prose)).items():
        for script, length in _pieces(run):
            if length == 1 and script in (_LATIN, "greek") and run not in ("a", "A", "I"):
                continue
            words = length / 2 if script in _PAIRED else 1.0
            counts[script] = counts.get(script, 0.0) + words * times
    return counts


def _without_blocks(text: str) -> str:
    """Without fenced code and displayed formulas; linear, whatever is open. An open fence runs to the end."""
    kept: list[str] = []
    never_closed: set[str] = set()
    position = 0
    while opener := _OPENERS.search(text, position):
        sign = opener[0]
        closer = _CLOSERS.get(sign) or sign.replace("begin", "end", 1)
        end = -1 if sign in never_closed else text.find(closer, opener.end())
        kept.append(text[position : opener.start()])
        if end >= 0:
            position = end + len(closer)
        elif sign == "```":
            return " ".join(kept)
        else:
            never_closed.add(sign)
            position = opener.end()
    return " ".join([*kept, text[position:]])


def _pieces(run: str) -> list[tuple[str, int]]:
    """Neighbouring characters of one script, with their number."""
    if run.isascii():
        return [(_LATIN, len(run))]
    scripts = (_script(character) for character in run if character.isalpha())
    return [(script, len(list(characters))) for script, characters in groupby(scripts)]


@cache
def _script(character: str) -> str:
    point = ord(character)
    for first, last, script in word_lists(__file__)["blocks"]:
        if first <= point <= last:
            return script
    name = unicodedata.name(character, "UNKNOWN").partition(" ")[0].lower()
    return _LATIN if name in ("latin", "fullwidth", "mathematical") else name


CHECKER = Checker(check, gold_fault=gold_fault)
