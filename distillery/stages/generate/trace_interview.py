"""What generate.traces asks about a shard: samples, waves of them, and continuations of what was cut off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from distillery.dialogue import continued
from distillery.engines.base import Completion, Failure, FailureKind, Reply, Request, Sampling, request_key
from distillery.engines.normal_form import normal_form
from distillery.hashing import Json, derive_seed
from distillery.records import Outcome, Problem, Thinking
from distillery.verify.pool.background import Beside

if TYPE_CHECKING:
    from distillery.curate.adaptive_sampling import Adaptive
    from distillery.prompts import Prompt
    from distillery.stages.base import Context, Output

# the next sample would fail in the same way
_FINAL = frozenset([FailureKind.CONTEXT_LENGTH, FailureKind.REFUSED])


class Sample(NamedTuple):
    """One reply, and whose it is."""

    problem_id: str
    sample: int
    thinking: str
    reply: Reply


@dataclass(slots=True)
class Tally:
    """What is known of one problem."""

    row: Mapping[str, Any]
    drawn: int = 0
    open: int = 0  # asked and not yet heard, or heard and not yet judged
    heard: int = 0  # completions
    judged: int = 0
    right: int = 0
    hopeless: bool = False  # another sample would fare no better, whatever the pass rate


@dataclass(slots=True)
class _Asked:
    problem_id: str
    sample: int
    earlier: Completion | None = field(default=None)  # what this request goes on from


@dataclass(frozen=True, slots=True)
class Draws:
    """What is drawn of each problem, and from whom."""

    engine: str
    prompt: str
    plain_prompt: str  # where `thinking` is "off"
    samples: int  # with a policy: the most
    sampling: Sampling
    policy: Adaptive | None
    continue_tokens: int | None
    checkers: tuple[str, ...]  # users' own, that rows may name


class TraceInterview:
    """Samples each problem as often as `draws` says; `output` makes the rows once all is heard."""

    def __init__(
        self, draws: Draws, table: pl.DataFrame, ctx: Context, *, output: Callable[[TraceInterview], Output]
    ) -> None:
        self._draws, self._ctx, self._output = draws, ctx, output
        engine = ctx.engine(draws.engine)
        self._identity: Json = engine.identity
        self._in_rounds = not engine.independent
        self._prompt: Prompt = ctx.prompt(draws.prompt)
        self._plain: Prompt = ctx.prompt(draws.plain_prompt)
        self._policy: Adaptive | None = draws.policy
        self._fresh: Iterator[Mapping[str, Any]] = table.iter_rows(named=True)
        self._more_rows = table.height
        self._ready: deque[Request] = deque()
        self._asked: dict[str, _Asked] = {}
        self.tallies: dict[str, Tally] = {}
        self.samples: list[Sample] = []
        self.prompt_tokens = self.completion_tokens = 0  # of all replies, whatever became of them
        self._beside: Beside[tuple[str, int]] | None = Beside(own=draws.checkers) if self._policy else None

    def due(self) -> Request | None:
        self._weigh()
        if self._in_rounds and self._beside and self._beside.busy:
            return None  # what is in a round must not depend on how fast verdicts come
        while not self._ready and self._more_rows:
            self._more_rows -= 1
            self._begin(next(self._fresh))
        return self._ready.popleft() if self._ready else None

    def hear(self, reply: Reply) -> None:
        asked = self._asked.pop(reply.key)
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        paid = {"tokens": reply.completion_tokens, "prompt_tokens": reply.prompt_tokens}
        if isinstance(reply, Completion) and asked.earlier:
            reply = _joined(asked.earlier, reply)
        elif isinstance(reply, Failure) and asked.earlier:
            reply = asked.earlier  # what was there before the continuation failed is still true
        tally = self.tallies[asked.problem_id]
        if self._continues(asked, reply):
            assert isinstance(reply, Completion)
            self._ctx.progress(**paid)
            self._continue(tally.row, asked, reply)
            return
        self._ctx.progress(rows=1, **paid, truncated=int(getattr(reply, "finish", "") == "length"))
        thinking = tally.row.get("thinking") or Thinking.ON
        tally.heard += isinstance(reply, Completion)
        self.samples.append(Sample(asked.problem_id, asked.sample, thinking, reply))
        self._settle(tally, asked, reply)

    @property
    def finished(self) -> bool:
        self._weigh()
        idle = not (self._ready or self._asked or self._more_rows)
        return idle and not (self._beside and self._beside.busy)

    def output(self) -> Output:
        return self._output(self)

    def close(self) -> None:
        if self._beside:
            self._beside.close()

    def _begin(self, row: Mapping[str, Any]) -> None:
        if row["problem_id"] in self.tallies:
            return  # asked already; that the key is there twice, the runner's laws say
        tally = self.tallies[row["problem_id"]] = Tally(row)
        if self._policy:
            self._next_wave(tally)
        else:
            self._draw(tally, self._draws.samples)

    def _draw(self, tally: Tally, count: int) -> None:
        for sample in range(tally.drawn, tally.drawn + count):
            self._ask(tally.row, _Asked(tally.row["problem_id"], sample))
        tally.drawn += count
        tally.open += count

    def _ask(self, row: Mapping[str, Any], asked: _Asked, *, max_tokens: int | None = None) -> None:
        sampling, begun = self._draws.sampling, ""
        if asked.earlier and max_tokens:
            sampling, begun = replace(sampling, max_tokens=max_tokens), asked.earlier.text
        prompt = self._plain if row.get("thinking") == Thinking.OFF else self._prompt
        messages = continued(prompt.render(question=row["question"]), row.get("payload"))
        seed = derive_seed(self._ctx.seed, asked.problem_id, asked.sample)
        key = request_key(self._identity, messages, sampling, seed, asked.sample, begun=begun)
        self._asked[key] = asked
        self._ready.append(Request(key, messages, sampling, seed, begun))

    def _continues(self, asked: _Asked, reply: Reply) -> bool:
        wanted = self._draws.continue_tokens
        return bool(
            wanted and isinstance(reply, Completion) and reply.finish == "length" and not asked.earlier
        )

    def _continue(self, row: Mapping[str, Any], asked: _Asked, reply: Completion) -> None:
        again = _Asked(asked.problem_id, asked.sample, earlier=reply)
        self._ask(row, again, max_tokens=self._draws.continue_tokens)

    def _settle(self, tally: Tally, asked: _Asked, reply: Reply) -> None:
        if self._beside is None:
            tally.open -= 1
            return
        if isinstance(reply, Completion):
            self._beside.submit((asked.problem_id, asked.sample), Problem.from_row(tally.row), reply.text)
            return
        tally.open -= 1
        tally.hopeless = tally.hopeless or reply.kind in _FINAL
        self._next_wave(tally)

    def _weigh(self) -> None:
        """Takes what the checkers have found, and draws what the policy wants next."""
        if self._beside is None or not self._beside.busy:
            return
        for (problem_id, _), verdict in self._beside.take():
            tally = self.tallies[problem_id]
            tally.open -= 1
            tally.judged += verdict.score is not None
            tally.hopeless = tally.hopeless or verdict.outcome is Outcome.NO_GOLD
            right = verdict.outcome is Outcome.CORRECT
            tally.right += right
            self._ctx.progress(accepted=int(right))
            self._next_wave(tally)

    def _next_wave(self, tally: Tally) -> None:
        """When the whole wave is known: what it asks for next must not depend on who came first."""
        if tally.open or tally.hopeless or self._policy is None:
            return
        count = self._policy.more(
            drawn=tally.drawn, judged=tally.judged, right=tally.right, most=self._draws.samples
        )
        self._draw(tally, count)


def _joined(earlier: Completion, rest: Completion) -> Completion:
    """One completion under the key of its last part, with the tokens of both."""
    return replace(
        rest,
        text=normal_form(earlier.text + rest.text, cut=rest.finish != "stop"),
        prompt_tokens=earlier.prompt_tokens,
        completion_tokens=earlier.completion_tokens + rest.completion_tokens,
    )
