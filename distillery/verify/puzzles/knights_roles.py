"""Which of two roles a text gives to whom: "Alice is a knight", "Knaves: Bob, Carol", "| Dan | knight |".

What is only supposed, reported or doubted ("if Bob is ...", "Bob says ...", "either") gives nobody a role.
Nothing is chosen between contradictions: a name can come out with both roles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import NamedTuple


class Roles(NamedTuple):
    first: str  # singular, in lower case
    second: str


_PAIRS = "knight knave, saint sinner, hero villain, angel devil, altruist egoist, sage fool, pioneer laggard"
PAIRS = tuple(Roles(*pair.split()) for pair in _PAIRS.split(", "))

_SENTENCE = re.compile(r"\n|\\\\|[.;!?。；](?=\W|$)")
_UNSAID = re.compile(  # from here to its end a sentence states nothing
    r"(?i:\b(?:if|unless|whether|either|neither|assume[sd]?|assuming|assumption|suppos\w*|says?|said|saying|claim\w*|stat(?:es?|ed|ing|ements?)"
    r"|assert\w*|tells?|told|mention\w*|accus\w*|contradict\w*|cannot|can['’]t|would|could|maybe|perhaps"
    r"|possibl[ey]|unknown)\b)|\b(?:may|might)\b"  # May is a name
)
_MARKUP = re.compile(r"\*\*|__|[`$#{}\[\]\ue000\ue001]|\\[a-zA-Z]+")
_IS = r"\b(?i:is|are|was|were|includes?)\b|[:=|→⇒]|->|=>|[–—]|(?<=\s)-(?=\s)"
_MAX_RUN = 64  # roles in a row whose order can matter
_LOOSE = {"list", "or", "filler", "not"}  # what may stand between the roles of "a knight or a knave"


class _Token(NamedTuple):
    kind: str  # "name", "role", "is", "not", "or", "list" (comma, and), "filler" (articles), "word"
    name: str = ""
    role: int = 0  # 0: the first


class _Run(NamedTuple):
    """Neighbouring names, or neighbouring roles, with the kinds of the tokens between the last run and it."""

    names: tuple[str, ...]
    roles: tuple[int, ...]  # a negated role is the other one
    gap: tuple[str, ...]
    either: bool = False  # "or" between its roles


def roles_said(text: str, names: tuple[str, ...], roles: Roles) -> dict[str, set[int]]:
    """For each of `names` that the text gives a role: 0 for the first, 1 for the second, or both. Linear."""
    said: dict[str, set[int]] = {}
    heading: tuple[int, ...] = ()  # "Knaves:" at a line's end reaches into the lines below
    for sentence in filter(str.strip, _SENTENCE.split(_marked(text, names)) if names else ()):
        tokens = _tokens(sentence, names, roles)
        runs = _runs(tokens)
        if heading and runs and not any(run.roles for run in runs):
            _give(said, [name for run in runs for name in run.names], heading)
        elif tokens:
            heading = _read(runs, said, last=tokens[-1])
    return said


def _give(said: dict[str, set[int]], names: Iterable[str], roles: Collection[int]) -> None:
    for name in names if roles else ():
        said.setdefault(name, set()).update(roles)


def _read(runs: list[_Run], said: dict[str, set[int]], *, last: _Token) -> tuple[int, ...]:
    """One sentence. Roles belong to names before them, or lead those behind; given: what leads on."""
    lead: tuple[int, ...] = ()
    place = 0
    while place < len(runs):
        names, roles = runs[place].names, runs[place].roles
        following = runs[place + 1] if place + 1 < len(runs) else None
        if names and following and _is_predicate(runs, place + 1, led=bool(lead)):
            led_on = not following.either and len(following.roles) > 1 and _leads(runs, place + 1)
            _give_predicate(said, names, following.roles[: -1 if led_on else None], either=following.either)
            lead = following.roles[-1:] if led_on else ()
            place += 1
        elif names:
            _give(said, names, lead)
        else:
            at_end = following is None and last.kind == "is"
            lead = roles if at_end or _leads(runs, place) else ()
            if at_end:
                return lead
        place += 1
    return ()


def _is_predicate(runs: list[_Run], place: int, *, led: bool) -> bool:
    run = runs[place]
    if not run.roles or "is" in run.gap:
        return bool(run.roles)
    return not (led and "list" in run.gap) and not _leads(runs, place)


def _leads(runs: list[_Run], place: int) -> bool:
    """Whether the roles there stand before their names: "knaves: Bob", "the knaves are Bob"."""
    behind = runs[place + 1] if place + 1 < len(runs) else None
    if behind is None or not behind.names or "is" not in behind.gap:
        return False
    return place + 2 >= len(runs) or "is" not in runs[place + 2].gap


def _give_predicate(
    said: dict[str, set[int]], names: tuple[str, ...], roles: tuple[int, ...], *, either: bool
) -> None:
    each = 1 < len(names) == len(roles) and not either  # "Alice and Bob are a knight and a knave"
    for place, name in enumerate(names):
        _give(said, [name], roles[place : place + 1] if each else roles)


def _runs(tokens: list[_Token]) -> list[_Run]:
    runs: list[_Run] = []
    gap: list[str] = []
    for token in tokens:
        if token.kind not in ("name", "role"):
            gap.append(token.kind)
            continue
        names = (token.name,) if token.name else ()
        negated = next((kind for kind in reversed(gap) if kind != "filler"), "") == "not"
        roles = () if names else (token.role ^ negated,)
        before = runs[-1] if runs else None
        if before and before.names and names and {*gap} <= {"list", "filler"}:
            runs[-1] = before._replace(names=tuple(dict.fromkeys(before.names + names)))
        elif before and before.roles and roles and {*gap} <= _LOOSE:
            joined = before.roles + roles
            joined = joined if len(joined) <= _MAX_RUN else tuple(dict.fromkeys(joined))
            runs[-1] = before._replace(roles=joined, either=before.either or "or" in gap)
        else:
            runs.append(_Run(names, roles, tuple(gap)))
        gap = []
    return runs


def _marked(text: str, names: tuple[str, ...]) -> str:
    """Without markup, and with each name as its place in `names` between two private signs."""
    normal = [unicodedata.normalize("NFKC", name) for name in names]
    spelled = {form: place for place, name in enumerate(normal) for form in (name.upper(), name)}
    ordered = sorted(spelled, key=len, reverse=True)
    either = "|".join(map(re.escape, ordered))
    pattern = rf"(?<!\w)(?:{either})(?!\w)(?!['’]s\b(?!\s(?:role|identity|type)\b))"
    plain = _MARKUP.sub(" ", unicodedata.normalize("NFKC", text.replace("\\\\", "\n")))
    return re.sub(pattern, lambda match: f"\ue000{spelled[match[0]]}\ue001", plain)


def _tokens(sentence: str, names: tuple[str, ...], roles: Roles) -> list[_Token]:
    unsaid = _UNSAID.search(sentence)
    tokens: list[_Token] = []
    for match in _pattern(roles).finditer(sentence[: unsaid.start()] if unsaid else sentence):
        match match.lastgroup:
            case "name":
                tokens.append(_Token("name", name=names[int(match[0][1:-1])]))
            case "first" | "second" as which:
                tokens.append(_Token("role", role=int(which == "second")))
            case kind:
                tokens.append(_Token(kind or ""))
    return tokens


@lru_cache(maxsize=16)
def _pattern(roles: Roles) -> re.Pattern[str]:
    first, second = (rf"(?<!\w)(?i:{role}(?:e?s|\(e?s\))?)(?!\w)" for role in roles)
    return re.compile(
        rf"(?P<name>\ue000\d+\ue001)|(?P<first>{first})|(?P<second>{second})|(?P<is>{_IS})"
        r"|(?P<not>\b(?i:not|never|no)\b|\w+n['’]t\b)"
        r"|(?P<or>\b(?i:or)\b|/)|(?P<list>,|&|\b(?i:and|but|while|whereas)\b)"
        r"|(?P<filler>\b(?i:a|an|the|both|all|also)\b)|(?P<word>[^\W\d_]\w*)"
    )
