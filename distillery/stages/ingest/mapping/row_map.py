"""One row of anybody's as one of ours, or the reason why it is none."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from distillery.errors import ConfigError
from distillery.hashing import digest, text_mark
from distillery.reasoning import join
from distillery.records import Problem, Thinking
from distillery.row_files import Drop, Fault
from distillery.stages.ingest.mapping.choices import Choices, choices, letter
from distillery.stages.ingest.mapping.own_names import GUARDED, if_ours, says
from distillery.stages.ingest.mapping.paths import at, exploded
from distillery.stages.ingest.mapping.row_options import FIELDS, RESPONSE, RowOptions, System
from distillery.stages.ingest.mapping.texts import Said, UnfitError, answered, asked, blank, shown, text
from distillery.stages.ingest.mapping.thought_tags import Form, own_form, parts, response
from distillery.stages.ingest.mapping.turns import Conversation, conversation
from distillery.stages.ingest.mapping.values import OURS, fit, ours

_BEFORE = ("history", "system")
Read = Callable[[Mapping[str, Any]], Any]


class RowMap(RowOptions):
    """`RowOptions` at work. What a row lacks is a problem's default; a `trace_id` is made of its content."""

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self._fields, self._columns, self._parts  # a constant that does not fit is an error now

    def rows(self, key: str, theirs: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any] | Fault]]:
        """Ours of one of theirs, each under the ledger's key."""
        if not self.explode:
            yield key, self.row(theirs)
            return
        try:
            elements = exploded(theirs, self.explode, self.siblings)
        except UnfitError as why:
            yield key, _fault(why)
            return
        earlier = Counter[str]()
        yield from (
            (f"{key}[{number}]", self.row(one, number, earlier)) for number, one in enumerate(elements)
        )

    def row(
        self, theirs: Mapping[str, Any], number: int | None = None, earlier: Counter[str] | None = None
    ) -> dict[str, Any] | Fault:
        """`number`: of the element that `explode` made it of; `earlier`: how often what is said was said by
        those before it."""
        try:
            said = self._conversation(theirs)
            problem = self._problem(theirs, said)
            row = {**problem.row(), **{name: read(theirs) for name, read in self._columns.items()}}
            row |= self._response(theirs, said, Thinking(problem.thinking or Thinking.ON))
        except UnfitError as why:
            return _fault(why)
        if number is not None:
            row["sample"] = row.get("sample", number)
        if "trace_id" in self.kept:
            row["trace_id"] = self._trace_id(row, number, Counter() if earlier is None else earlier)
        return {name: row[name] for name in self.writes}

    @cached_property
    def _fields(self) -> dict[str, Read]:
        """Of a problem; "" left open: `thinking` is for label.thinking."""
        return {name: self._reader(name) for name in FIELDS if not (name == "question" and self.messages)}

    @cached_property
    def _columns(self) -> dict[str, Read]:
        """Kept ones that are not made of a response."""
        made = {*RESPONSE, *(["sample"] if self.explode and not self._said("sample") else [])}
        return {name: self._reader(name) for name in self.kept if name not in made}

    @cached_property
    def _forms(self) -> tuple[Form, ...]:
        return (own_form(self.thought_tags),) if self.thought_tags else ()

    @cached_property
    def gold(self) -> re.Pattern[str] | None:
        return re.compile(self.gold_pattern) if self.gold_pattern else None

    def _reader(self, name: str) -> Read:
        take, path = self.take(name), self.columns.get(name)
        if isinstance(path, dict):
            fixed = self.constants.get(name) or {}
            return lambda row: _named(name, take, {key: at(row, leaf) for key, leaf in path.items()} | fixed)
        if name in self.constants:
            try:
                value = take(self.constants[name])
            except UnfitError as why:
                raise ConfigError(f"{self.where}.constants.{name}: {why}") from None
            return lambda _: value
        if isinstance(path, list):
            return lambda row: _joined(_read(row, one, take) for one in path)
        paths = self.paths(name)
        return partial(_read, path=paths[0], take=take) if paths else lambda _: None

    def ignored(self, theirs: Mapping[str, Any]) -> int:
        """Values under our names that are not taken, for they are none of ours."""
        found = [(name, theirs[name]) for name in self.unmapped & {*GUARDED} if name in theirs]
        return sum(1 for name, value in found if says(value) and _unfit(self.take(name), value))

    def constant(self, name: str) -> Any:
        return self._reader(name)({})

    def take(self, name: str) -> Callable[[Any], Any]:
        """How a value of this column is read."""
        if name in self.unmapped and name in GUARDED:
            return if_ours(name)
        by_name = {"question": asked, "text": answered, "answer": answered}.get(name)
        known = name in OURS or name in FIELDS
        return by_name or (ours(name) if known else partial(fit, kind=self.type_of(name)))

    def _conversation(self, theirs: Mapping[str, Any]) -> Conversation | None:
        if not self.messages:
            return None
        read = partial(conversation, response=self._normal, with_system=self.system is System.KEEP)
        return _read(theirs, self.messages, read)

    def _normal(self, answer: str, thought: str | None) -> str:
        return response(answer, thought, self._forms)

    def _problem(self, theirs: Mapping[str, Any], said: Conversation | None) -> Problem:
        question = said.question if said else self._fields["question"](theirs)
        if question is None or blank(question):
            given = "missing" if question is None else repr(question)[:80]
            raise UnfitError(f"the question is {given}", Drop.NO_QUESTION)
        own = {name: read for name, read in self._fields.items() if name != "question"}
        among = self.among(theirs)
        more = {"checker": "choice"} if among else {}
        if among:
            question = among.shown(question)
            del own["gold"]
            more["gold"] = self._letter(theirs, among)
        found = {name: read(theirs) for name, read in own.items()}
        given = {name: value for name, value in found.items() if value is not None}
        problem = Problem(**{"gold": "", **more, **given, "question": question})
        try:
            if said and (before := {name: had for name in _BEFORE if (had := getattr(said, name))}):
                problem = replace(problem, payload=_with(problem.options, before, "the conversation"))
            if among:
                more = {"choices": among.texts}
                problem = replace(problem, payload=_with(problem.options, more, "`choices`"))
            _ = problem.options, problem.history, problem.system
        except (ValueError, RecursionError) as why:
            raise why if isinstance(why, UnfitError) else UnfitError(str(why)) from None
        return problem if among or not self.gold else replace(problem, gold=self._part(problem.gold))

    def _part(self, gold: str) -> str:
        """Of a gold, what `gold_pattern` says."""
        found = self.gold.search(gold) if self.gold else None
        if not found:
            raise UnfitError(f"gold_pattern does not match the gold {gold[-80:]!r}")
        return (found[1] or "").strip()

    def among(self, theirs: Mapping[str, Any]) -> Choices | None:
        """None: it is no multiple choice."""
        if not self.choices:
            return None
        first, *others = self.choices
        given = [at(theirs, path) for path in self.choices] if others else at(theirs, first)
        among: Choices = _named(", ".join(self.choices), choices, given)
        # where one column always has the right one, its letter would always be the same
        return among.shuffled() if {*self.paths("gold")} & {*others, first} and others else among

    def raw_gold(self, theirs: Mapping[str, Any]) -> Any:
        """As it came, for what it says of its row's choices depends on its type."""
        path = next(iter(self.paths("gold")), "")
        given = at(theirs, path) if path else self.constants.get("gold")
        return self._part(text(given) or "") if self.gold else given

    def _letter(self, theirs: Mapping[str, Any], among: Choices) -> str:
        given = self.raw_gold(theirs)
        if (found := letter(given, among, self.gold_is)) is None:
            raise UnfitError(f"the gold {shown(given)} names none of the choices {shown(among.texts)}")
        return found

    def _response(
        self, theirs: Mapping[str, Any], said: Conversation | None, thinking: Thinking
    ) -> dict[str, str | None]:
        if not self.response:
            return {}
        if self.response == "either" and ("text" not in theirs or "text" in self.taken):
            answer = self._parts["answer"](theirs)
            return {"answer": answer and answer.text, "reasoning": self._parts["reasoning"](theirs)}
        given = said.text if said and self.response == "messages" else self._text(theirs)
        if said and said.text is not None and said.text != given:
            raise UnfitError("the conversation ends with an answer, and another one stands beside it")
        if given is None or blank(given):
            raise UnfitError(f"the response is {'missing' if given is None else 'empty'}", Drop.NO_TEXT)
        found = parts(given)
        if thinking is Thinking.OFF and found.reasoning is None:
            # the convention: an empty block stands where no thought is wanted
            given = join("", given)
            found = parts(given)
        return {"text": given, "reasoning": found.reasoning, "answer": found.answer}

    def _text(self, theirs: Mapping[str, Any]) -> str | None:
        """In the normal form; of a thought without an answer one that is not closed."""
        in_parts = self.response == "parts"
        answer: Said = self._parts["answer" if in_parts else "text"](theirs) or Said(None)
        thoughts = {answer.thought or "", (in_parts and self._parts["reasoning"](theirs)) or ""}
        thoughts = [thought for thought in thoughts if not blank(thought)]
        if len(thoughts) > 1:
            raise UnfitError("the response has two thoughts that differ")
        if answer.text is None and not thoughts:
            return None
        try:
            return self._normal(answer.text or "", next(iter(thoughts), None))
        except UnfitError as why:
            raise UnfitError(f"the response {why}", why.reason) from None

    @cached_property
    def _parts(self) -> dict[str, Read]:
        return {name: self._reader(name) for name in RESPONSE}

    def _trace_id(self, row: Mapping[str, Any], number: int | None, earlier: Counter[str]) -> str:
        """Made of what the row says, and of no more: from two sources it is the same trace."""
        given = row["trace_id"]
        if given is not None and not blank(given):
            listed = set(self.paths("trace_id")) & set(self.explode)
            return given if number is None or listed else f"{given}-{number}"
        says = (
            ("problem_id", "text") if self.response else (name for name in self.writes if name != "trace_id")
        )
        values = (row[name] for name in says)
        marks = (value if value is None or isinstance(value, str) else repr(value) for value in values)
        made = digest(["given", *(None if mark is None else text_mark(mark) for mark in marks)])
        earlier[made] += 1
        return made if earlier[made] == 1 else digest([made, earlier[made]])


def _read(row: Mapping[str, Any], path: str, take: Callable[[Any], Any]) -> Any:
    return _named(path, take, at(row, path))


def _unfit(take: Callable[[Any], Any], value: Any) -> bool:
    try:
        return take(value) is None
    except (UnfitError, RecursionError):
        return False  # its row is in the ledger


def _named(name: str, take: Callable[[Any], Any], value: Any) -> Any:
    try:
        return take(value)
    except UnfitError as why:
        raise UnfitError(f"column {name!r} {why}", why.reason) from None
    except RecursionError:
        raise UnfitError(f"column {name!r} is nested too deep") from None


def _joined(texts: Iterable[str | None]) -> str | None:
    said = [text for text in texts if text is not None and not blank(text)]
    return "\n\n".join(said) if said else None


def _with(options: Mapping[str, Any], more: Mapping[str, Any], whose: str) -> str:
    """A payload with what a conversation, or `choices`, adds."""
    if taken := [name for name in more if options.get(name)]:
        raise UnfitError(f"the payload has {taken[0]} of its own beside those of {whose}")
    return json.dumps({**options, **more}, ensure_ascii=False)


def _fault(why: UnfitError) -> Fault:
    return Fault(why.reason, str(why)[:200].encode(errors="backslashreplace").decode())
