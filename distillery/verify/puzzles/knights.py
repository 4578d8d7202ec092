r"""Knights and knaves (Xie et al. 2024, arXiv:2410.23123): who is which.

The gold is the answer's text, or the payload's {"names": [...], "solution": [true, ...]}, true for the first
of "roles", by default knight and knave or the paper's other pair that gold or question names. The payload's
"statements", as the data set writes them, must have the gold as their only solution, else there is no gold.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

from distillery.reasoning import boxes, split
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker
from distillery.verify.puzzles.knights_roles import PAIRS, Roles, roles_said

MAX_PEOPLE = 16  # 2 to the power of it are tried against the statements
MAX_STATEMENTS = 20_000  # characters

_HEADING = re.compile(
    r"(?im)^[^\w\n]{0,10}(?:(?:so|thus|therefore|hence),?\s{1,3})?(?:(?:in|my|the|our)\s{1,3})?"
    r"(?:final\s{1,3})?(?:answer|conclusion)s?\b"
)


class Gold(NamedTuple):
    roles: Roles
    solution: dict[str, bool]  # name: whether they have the first role


def check(problem: Problem, text: str, /) -> Verdict:
    """Everyone's role, once or repeated alike: a person with both roles or none makes the answer wrong."""
    try:
        problem.options  # noqa: B018 -- reading it is the test
    except ValueError as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    gold = _gold(problem)
    if isinstance(gold, str):
        return Verdict(Outcome.NO_GOLD, detail=gold)
    answer = split(text).answer
    if answer is None:
        return Verdict.no_answer("the thought was never closed")
    said = _said(answer, gold)
    if not said:
        return Verdict.no_answer("nobody is given a role after the thought")
    shown = ", ".join(f"{name}: {' and '.join(gold.roles[not role] for role in sorted(roles, reverse=True))}"
                      for name, roles in said.items())  # fmt: skip
    if both := [name for name, roles in said.items() if len(roles) > 1]:
        return Verdict.of(False, shown, f"both roles for {', '.join(both)}")
    if missing := [name for name in gold.solution if name not in said]:
        return Verdict.of(False, shown, f"no role for {', '.join(missing)}")
    return Verdict.of(all(said[name] == {role} for name, role in gold.solution.items()), shown)


def gold_fault(problem: Problem) -> str | None:
    """Why no answer could be held against the gold, or the gold against the statements."""
    found = _gold(problem)
    return found if isinstance(found, str) else None


def _said(answer: str, gold: Gold) -> dict[str, set[bool]]:
    """From the first of these that gives anybody a role: the tags, the boxes, what follows a heading, all."""
    begin, end = answer.find("<answer>"), answer.rfind("</answer>")
    if 0 <= begin < end:
        return _assigned(answer[begin:end].replace("<answer>", "\n").replace("</answer>", "\n"), gold)
    heading = _HEADING.search(answer)
    places = ["\n".join(boxes(answer)), answer[heading.end() :] if heading else "", answer]
    return next((said for place in places if (said := _assigned(place, gold))), {})


def _assigned(text: str, gold: Gold) -> dict[str, set[bool]]:
    said = roles_said(text, tuple(gold.solution), gold.roles)
    return {name: {place == 0 for place in places} for name, places in said.items()}


def _gold(problem: Problem) -> Gold | str:
    return _read_gold(problem.gold, problem.payload, problem.question)


@lru_cache(maxsize=1024)  # one gold judges a whole group of completions
def _read_gold(text: str, payload: str, question: str) -> Gold | str:
    try:
        options = Problem("", "", payload=payload).options
        roles = _roles(options, text, question)
        given = _payload_solution(options)
    except (TypeError, ValueError) as error:
        return f"payload: {error}"
    names = tuple(given) if given else _names(text, roles)
    said = roles_said(text, names, roles)
    written = {name: places == {0} for name, places in said.items() if len(places) == 1}
    solution = given or written
    if not solution or len(solution) != len(names):
        return f"the gold {text[:80]!r} does not give everyone one of the roles {roles.first}, {roles.second}"
    if given and text.strip() and written != given:
        return f"the gold {text[:80]!r} is not what the payload's solution says"
    statements = options.get("statements")
    fault = _statements_fault(statements, tuple(solution.values())) if statements is not None else None
    return fault or Gold(roles, solution)


def _roles(options: dict[str, Any], text: str, question: str) -> Roles:
    """Knight and knave, unless the payload or a word of the gold, or else of the question, says otherwise."""
    given = options.get("roles")
    if given is not None:
        words = given if isinstance(given, list) else []
        if len(words) != 2 or not all(isinstance(word, str) and re.fullmatch(r"\w+", word) for word in words):
            raise ValueError(f"roles is {given!r}; it would be two words, as ['knight', 'knave']")
        return Roles(words[0].lower(), words[1].lower())
    for place in (text.lower(), question.lower()):
        for pair in PAIRS:
            if any(re.search(rf"\b{role}", place) for role in pair):
                return pair
    return PAIRS[0]


def _payload_solution(options: dict[str, Any]) -> dict[str, bool]:
    """{} when the payload has none."""
    names, solution = options.get("names"), options.get("solution")
    if names is None or solution is None:
        return {}
    whole = (
        isinstance(names, list)
        and isinstance(solution, list)
        and len(set(map(str, names))) == len(names) == len(solution) > 0
        and all(isinstance(name, str) and name.strip() for name in names)
        and all(isinstance(role, bool) for role in solution)
    )
    if not whole:
        raise ValueError("names would be different names, and solution true or false for each of them")
    return dict(zip(names, solution, strict=True))


def _names(gold: str, roles: Roles) -> tuple[str, ...]:
    """The subjects in "(1) Alice is a knight, (2) Bob is a knave"."""
    either = "|".join(roles)
    found = re.findall(rf"(?i:\b(?:is|was)\s+an?\s+(?:{either})\b)", gold)
    named = re.findall(rf"([^\W\d_][\w'’\-]*)\s+(?i:(?:is|was)\s+an?\s+(?:{either})\b)", gold)
    return tuple(dict.fromkeys(named)) if len(found) == len(named) else ()


def _statements_fault(statements: Any, solution: tuple[bool, ...]) -> str | None:
    """What is wrong with the solution, or with the statements themselves; person i says statement i."""
    if len(solution) > MAX_PEOPLE:
        return f"payload: statements of {len(solution)} people; at most {MAX_PEOPLE} can be tried"
    try:
        said = ast.literal_eval(statements[:MAX_STATEMENTS]) if isinstance(statements, str) else statements
        if not isinstance(said, (list, tuple)) or len(said) != len(solution):
            return f"payload: statements would be one for each of {len(solution)} people"
        tried = product((True, False), repeat=len(solution))
        models = [them for them in tried if all(_holds(said[i], them) == role for i, role in enumerate(them))]
    except (ValueError, TypeError, SyntaxError, IndexError, RecursionError, MemoryError) as error:
        return f"payload: statements cannot be read: {type(error).__name__}: {str(error)[:100]}"
    if solution not in models:
        return "the gold is no solution of the statements"
    return None if len(models) == 1 else f"the statements have {len(models)} solutions"


def _holds(statement: Any, roles: tuple[bool, ...]) -> bool:
    """Raises ValueError for what is no statement."""
    match tuple(statement) if isinstance(statement, (list, tuple)) else statement:
        case ("telling-truth" | "lying" as said, int(person)) if 0 <= person < len(roles):
            return roles[person] == (said == "telling-truth")
        case ("not", one):
            return not _holds(one, roles)
        case ("and", *parts) if parts:
            return all(_holds(part, roles) for part in parts)
        case ("or", *parts) if parts:
            return any(_holds(part, roles) for part in parts)
        case ("->", one, other):
            return not _holds(one, roles) or _holds(other, roles)
        case ("<=>", one, other):
            return _holds(one, roles) == _holds(other, roles)
        case other:
            raise ValueError(f"{str(other)[:60]} is no statement")


CHECKER = Checker(check, gold_fault=gold_fault)
