"""Verifiable instructions in the manner of IFEval (Zhou et al. 2023, arXiv:2311.07911): all must hold.

Payload {"instructions": [{"id": "punctuation:no_comma"}, ...]}, each with its arguments beside the id, or the
published file's "instruction_id_list" and "kwargs", where null is no argument. {"loose": true} is IFEval's
loose accuracy. Judged is what stands after the thought, without an <answer> tag around it. No gold is needed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from distillery.reasoning import split
from distillery.records import Outcome, Problem, Verdict
from distillery.verify.base import Checker
from distillery.verify.instruction.rules import RULES, Argument, Rule

_OPEN, _CLOSE = "<answer>", "</answer>"


class Instruction(NamedTuple):
    name: str
    rule: Rule
    arguments: dict[str, Any]

    def holds(self, response: str) -> bool:
        return bool(response.strip()) and self.rule.holds(response, **self.arguments)


def check(problem: Problem, text: str, /) -> Verdict:
    """The detail names what does not hold. No payload to be read is an ERROR, no instructions NO_GOLD."""
    try:
        options = problem.options
        loose = options.get("loose", False)
        if not isinstance(loose, bool):
            raise TypeError(f"loose is {loose!r}; it would be true or false")
        instructions = read(options)
    except (TypeError, ValueError) as error:
        return Verdict(Outcome.ERROR, detail=f"payload: {error}")
    if not instructions:
        return Verdict(Outcome.NO_GOLD, detail="payload: there are no instructions")
    response = split(text).answer
    if response is None:
        return Verdict.no_answer("the thought was never closed")
    response = _untagged(response)
    if not response.strip():
        return Verdict.no_answer("nothing after the thought")
    forms = loose_forms(response) if loose else [response]
    failed = [one.name for one in instructions if not any(one.holds(form) for form in forms)]
    return Verdict.of(not failed, detail=f"does not hold: {', '.join(failed)}" if failed else "")


def gold_fault(problem: Problem) -> str | None:
    try:
        return None if read(problem.options) else "payload: there are no instructions"
    except (TypeError, ValueError) as error:
        return f"payload: {error}"


def read(options: dict[str, Any]) -> list[Instruction]:
    """Raises TypeError or ValueError that names the id and what is wrong with it."""
    if "instruction_id_list" in options:
        names, arguments = options["instruction_id_list"], options.get("kwargs")
        if not isinstance(names, list) or not isinstance(arguments, list) or len(names) != len(arguments):
            raise ValueError("instruction_id_list and kwargs would be lists, one object for each id")
        given = list(zip(names, arguments, strict=True))
    else:
        listed = options.get("instructions", [])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise TypeError("instructions would be a list of objects, each with its id")
        given = [(one.get("id"), {key: one[key] for key in one if key != "id"}) for one in listed]
    return [_instruction(name, arguments) for name, arguments in given]


def loose_forms(response: str) -> list[str]:
    """The response as it is, without its first line, its last, both; each of them also without asterisks."""
    lines = response.split("\n")
    cut = ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return list(dict.fromkeys(form for one in (response, *cut) for form in (one, one.replace("*", ""))))


def _instruction(name: Any, arguments: Any) -> Instruction:
    if not isinstance(name, str) or name not in RULES:
        raise ValueError(f"unknown instruction {name!r}; known: {', '.join(RULES)}")
    rule = RULES[name]
    if not isinstance(arguments, dict):
        raise TypeError(f"{name}: its arguments are {arguments!r:.60}, not an object")
    given = {key: value for key, value in arguments.items() if value is not None}
    if odd := given.keys() ^ rule.arguments.keys():
        unknown, takes = odd & given.keys(), ", ".join(rule.arguments) or "none"
        fault = f"{'unknown' if unknown else 'missing'} argument {min(unknown or odd)!r}"
        raise ValueError(f"{name}: {fault}; it takes {takes}")
    values = {key: _value(name, key, kind, given[key]) for key, kind in rule.arguments.items()}
    return Instruction(name, rule, values)


def _value(name: str, key: str, kind: Argument, value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # tables make floats of numbers beside nulls
    if not kind.accepts(value):
        raise TypeError(f"{name}: {key} is {value!r:.60}; it would be {kind.value}")
    return value


def _untagged(response: str) -> str:
    whole = response.startswith(_OPEN) and response.endswith(_CLOSE) and response.count(_OPEN) == 1
    return response[len(_OPEN) : -len(_CLOSE)].strip() if whole else response


CHECKER = Checker(check, gold_fault=gold_fault)
