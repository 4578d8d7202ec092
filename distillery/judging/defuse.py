"""An untrusted text as a judge may see it: no line of it can pass for a part of the prompt around it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_BREAK = re.compile(r"\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
# characters that nobody sees: they part what a pattern looks for, or hide what a model reads
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff]"
)
_BLANKS = re.compile(r"\n(?:[^\S\n]*\n){3,}")
_ALIKE = str.maketrans(
    "АВСЕНІЈКМОРЅТХаеіјорсухѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧορ", "ABCEHIJKMOPSTXaeijopcyxsdqwABEZHIKMNOPTYXop"
)
_HEADING = re.compile(r"(?:[\s>*+-]|\d{1,3}[.)])*(?:#{2,}|#(?=[\s\ufe0e\ufe0f]|$))")
_SECTION = re.compile(
    r"[^\w]{0,12}(?:(?:question|reference(?: answer)?|answer to be (?:checked|evaluated)|output format)"
    r"[^\w]{0,6}(?::|$)|(?:system|user|assistant|human)[^\w]{0,4}:)",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"\s{0,3}(?:={2,}|-{2,})\s*$")
_TOKEN = re.compile(
    r"[<＜][|｜]|[|｜][>＞]|<(?=<?/?SYS>>)|\[(?=/?(?:INST|g?MASK|SYSTEM_PROMPT|TOOL_\w{1,20}|AVAILABLE_TOOLS)\])"
    r"|<(?=!--|/?(?:think(?:ing)?|s|bos|eos|pad|unk|sop|eop|(?:start|end)_of_turn|tool_\w{1,20}|system|user|assistant"
    r"|human|h[1-6])(?:\s[^<>\n]{0,80})?>)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n]*)$", re.MULTILINE)


def defuse(answer: str, *, most_chars: int) -> str:
    """The end of `answer`, in which no line is a heading or a label of the prompt's sections, no marker a
    model's control token, no character invisible, and no code fence left open. Ordinary text comes back as it
    was."""
    whole = readable(answer)
    text = whole if len(whole) <= most_chars else f"[...] {whole[-most_chars:]}"
    text = "\n".join(_harmless(text))
    text = _TOKEN.sub(lambda match: " ".join(match[0]) if len(match[0]) > 1 else f"{match[0]} ", text)
    return f"{text}\n{fence}" if (fence := _open_fence(whole)) else text


def readable(text: str) -> str:
    """With one kind of line break, no invisible characters, and no deserts of blank lines."""
    return _BLANKS.sub("\n\n\n", _INVISIBLE.sub("", _BREAK.sub("\n", text)))


def folded(text: str) -> str:
    """With Latin letters and signs for those that only look like them; of equal meaning, not length."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_ALIKE)


def _harmless(text: str) -> Iterator[str]:
    before = ""
    for line in text.split("\n"):
        seen = folded(line)
        underlines = before.strip() and _UNDERLINE.match(seen)
        if underlines or _HEADING.match(seen) or _SECTION.match(seen):
            bare = line.lstrip()
            yield f"{line[: len(line) - len(bare)]}\\{bare}"
        else:
            yield line
        before = line


def _open_fence(text: str) -> str:
    """What would close the code fence that `text` leaves open; "" where it leaves none."""
    fence = ""
    for mark, rest in _FENCE.findall(text):
        if not fence:
            fence = "" if "`" in rest else mark
        elif mark.startswith(fence) and not rest.strip():
            fence = ""
    return fence
