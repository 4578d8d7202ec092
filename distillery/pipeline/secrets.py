"""What a pipeline file must not hold: a key, a token or a password as it stands, whoever would read it.

Told by its name at any depth (`extra_body.api_key`, `env.HF_TOKEN`, `--api-key X`, `?sig=`, a user in a URL)
or by the look of the value. Options that only speak of keys and tokens are none: `api_key_env`, `max_tokens`,
`eos_token`, `key: trace_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

from distillery.errors import ConfigError
from distillery.installed.word_lists import word_lists

_RIGHT = "put it into an environment variable, which api_key_env or the server's own settings name"
_JOINED = re.compile(
    r"(?:api|access|secret|private|auth|oauth|session|signing|encryption|account|subscription|client|master"
    r"|bearer|refresh)(?:key|token|secret)s?|\w*(?:password|passwd|passphrase|credential)s?"
)
"""Of one word, or of two neighbours."""
_QUERY = frozenset({"sig", "signature"})
_LOOKS = re.compile(
    r"\bsk-(?=[\w-]*\d)[\w-]{20,}|\bhf_[A-Za-z0-9]{30,}|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_\w{30,}"
    r"|\b(?:gsk_|nvapi-|xai-|pplx-|csk-|r8_|fw_|tgp_v1_)(?=[\w-]*\d)[\w-]{20,}"
    r"|\bglpat-[\w-]{20,}|\bA[KS]IA[A-Z0-9]{16}\b|\bAIza[\w-]{30,}|\bxox[abprs]-[\w-]{10,}"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b[Bb]earer\s+(?=\S*\d)[\w.~+/=-]{8,}"
)
_URL = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#'\"]*)([^\s'\"]*)")
_PARAMETER = re.compile(r"[?&#;]([^=&#;?]+)=([^&#;]*)")
_ASSIGNED = re.compile(r"(?<![\w.-])-{0,2}([A-Za-z][\w.-]*)[\"']?\s*(=|:|\s+(?=[^\s-]))\s*([^\s,]+)")
_FLAG = re.compile(r"--?([A-Za-z][\w.-]*)")
_ENVIRONMENT = re.compile(r"[A-Z_][A-Z0-9_]*|[A-Za-z_]+")


def refuse_secrets(raw: Mapping[str, Any], where: str) -> None:
    """Raises ConfigError that names the first place of a secret, and never shows it."""
    for place, why in _found(raw, ()):
        raise ConfigError(f"{where}: {place}: {why}; {_RIGHT}")


def is_secret_name(name: str) -> bool:
    """Whether what goes by this name is a secret itself."""
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    if not words or words[-1] in _words("about"):
        return False
    pairs = [first + second for first, second in pairwise(words)]
    if any(word in _words("always") or _JOINED.fullmatch(word) for word in (*words, *pairs)):
        return True
    shouted = re.fullmatch(r"[A-Z][A-Z0-9_]*_[A-Z0-9_]*", name) is not None
    while len(words) > 1 and (words[-1] in _words("trailing") or words[-1].isdigit()):
        words.pop()
    return any(map(_is_weak, words, ["", *words])) if shouted else _is_weak(*["", *words][:-3:-1])


def _words(group: str) -> list[str]:
    return word_lists(__file__)[group]


def _is_weak(word: str, before: str) -> bool:
    match word:
        case "token":
            return before not in _words("tokens")
        case "key":
            return before not in _words("keys")
        case _:
            return word in ("auth", "oauth", "pass")


Place = tuple[str, ...]


def _found(value: Any, at: Place, under: str = "") -> Iterator[tuple[str, str]]:
    """Place and fault of each secret inside; `under` is the nearest name around it that says secret."""
    if isinstance(value, Mapping):
        yield from _in_mapping(value, at, under)
    elif isinstance(value, (list, tuple)):
        yield from _in_list(value, at, under)
    elif under and _says(value):
        yield _shown(at), "holds a secret as it stands"
    elif isinstance(value, str) and (why := _in_text(value, free=at[:1] == ("engines",))):
        yield _shown(at), why


def _in_mapping(value: Mapping[Any, Any], at: Place, under: str) -> Iterator[tuple[str, str]]:
    label = str(next((value[name] for name in ("name", "key", "header", "field") if name in value), ""))
    for key, item in value.items():
        name = str(key)
        place = (*at, name)
        if _LOOKS.search(name):
            yield _shown(at), "a name in it is a secret"
        elif name.lower().endswith("_env") and isinstance(item, str):
            if item and (_LOOKS.search(item) or not _ENVIRONMENT.fullmatch(item)):
                yield _shown(place), "is not the name of an environment variable but perhaps a key"
        elif _is_column(place, item):
            yield from _found(item, place)
        elif name in ("value", "val") and is_secret_name(label):
            yield from _found(item, place, label)
        else:
            yield from _found(item, place, under or (name if is_secret_name(name) else ""))


def _in_list(value: Sequence[Any], at: Place, under: str) -> Iterator[tuple[str, str]]:
    named = ""
    for number, item in enumerate(value):
        place = (*at[:-1], f"{at[-1]}[{number}]") if at else (f"[{number}]",)
        if at == ("stages",) and isinstance(item, Mapping):
            place = ("stages", str(item.get("id", number)))
        yield from _found(item, place, under or named)
        text = item if isinstance(item, str) else ""
        pair = len(value) == 2 and number == 0 and at[:1] == ("engines",)
        flag = _FLAG.fullmatch(text)
        name = flag[1] if flag else text if pair else ""
        named = name if is_secret_name(name) else ""


def _is_column(place: Place, item: Any) -> bool:
    """An option of a stage that names a column: `key: trace_id`, and all of `columns`."""
    match place:
        case ("stages", _, "with", "key"):
            return isinstance(item, str) and re.fullmatch(r"[A-Za-z_]\w{0,40}", item) is not None
        case ("stages", _, "with", "columns", *_):
            return True
        case _:
            return False


def _says(value: Any) -> bool:
    """Whether there is anything to hide: no switch, no share, no small number, nothing to be filled in."""
    if isinstance(value, int) and not isinstance(value, bool):
        return abs(value) >= 1000
    if not isinstance(value, str):
        return False
    text = value.strip()
    return text.lower() not in _words("nothing") and not re.fullmatch(
        r"\$\{?\w+\}?|\{\w+\}|-{1,2}[A-Za-z][\w-]*", text
    )


def _in_text(text: str, *, free: bool) -> str:
    """What is wrong with a text, "" if nothing is; an engine's is `free` to be a command or a header."""
    if _LOOKS.search(text):
        return "holds what looks like a secret as it stands"
    for scheme, host, rest in _URL.findall(text):
        user, at, _ = host.rpartition("@")
        if at and (":" in user or scheme.lower() in ("http", "https", "ws", "wss", "ftp")):
            return "its address has a user or a password in it"
        for name, value in _PARAMETER.findall(rest):
            name = unquote(name).strip()
            if (name.lower() in _QUERY or is_secret_name(name)) and _says(unquote(value)):
                return "its address has a secret among its parameters"
    if free:
        for name, mark, value in _ASSIGNED.findall(text):
            if is_secret_name(name) and _says(value.strip("'\"{}")) and (mark.strip() or f"-{name}" in text):
                return "holds a secret as it stands"
    return ""


def _shown(at: Place) -> str:
    """The place, for an error; a name that is hardly one is not shown."""
    names = (name if re.fullmatch(r"[\w.\[\]()#$/{} -]{1,60}", name) else "..." for name in at)
    return ".".join(names) or "the file"
