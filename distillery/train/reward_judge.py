"""A model's opinion of general answers as a reward, where R1 has two preference reward models.

DeepSeek-R1, section 2.3.4 and its appendix on reward models: helpfulness is judged on the final summary alone,
harmlessness on the whole response, and each general prompt gets the reward of the set that it is from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from time import monotonic
from typing import TYPE_CHECKING

from distillery.engines import Engine, Request, open_engine
from distillery.engines.cached import Cached
from distillery.engines.request_store import RequestStore
from distillery.errors import ConfigError
from distillery.judging import rubric, safety
from distillery.judging.defuse import defuse, folded, readable
from distillery.judging.shown_conversation import conversation
from distillery.judging.votes import Vote, ballot
from distillery.prompts import Prompt
from distillery.reasoning import split
from distillery.records import Outcome, Verdict
from distillery.verify.harm import harm_done

if TYPE_CHECKING:
    from pathlib import Path

    from distillery.engines.base import Messages
    from distillery.records import Problem
    from distillery.train.options import JudgeOptions
    from distillery.train.spec import JudgeSpec

_OWN_SCORE = re.compile(rf"""["']?(?:{"|".join(rubric.POINTS)})["']?\s*[:=]\s*\d""", re.IGNORECASE)


class RewardJudge:
    """Scores in [0, 1]. Everything the judge says is kept in `store`: what was asked before is not asked again, and a
    training that goes on from a checkpoint hears the same. Processes that train together may share `store`."""

    def __init__(self, spec: JudgeSpec, options: JudgeOptions, *, seed: int, store: Path) -> None:
        self._spec, self._options, self._seed, self._store = spec, options, seed, store
        self._engine: Engine | None = None  # opened at first use: until then this can be pickled

    def verdicts(self, reward: str, rows: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        """One for each problem and response, in order; an ERROR without a score where the judge gave no verdict."""
        match reward:
            case "helpfulness":
                return self._helpfulness(rows)
            case "harmlessness":
                return self._harmlessness(rows)
            case _:
                raise ConfigError(f"rewards: {reward!r} is none that a model gives")

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()

    def _helpfulness(self, rows: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        """The mean score of the rubric's points over the votes, from 1..10 to 0..1."""
        prompt, most = self._prompt(self._options.helpfulness_prompt), self._options.answer_chars
        answers = [split(text).answer or "" for _, text in rows]
        early = [_no_answer(answer) or _own_score(answer) for answer in answers]
        asked = {
            place: prompt.render(
                question=conversation(problem.question, problem.payload, turn_chars=most),
                answer=defuse(answers[place], most_chars=most),
            )
            for place, (problem, _) in enumerate(rows)
            if early[place] is None
        }
        heard = self._ask(asked, rubric.SCHEMA)
        return [found or _helpful(heard[place]) for place, found in enumerate(early)]

    def _harmlessness(self, rows: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        """1 where the judge finds no harm and no needless refusal. What the rules object to, it is not asked about."""
        prompt, most = self._prompt(self._options.harmlessness_prompt), self._options.response_chars
        early = [_no_answer(split(text).answer or "") or _ruled(problem, text) for problem, text in rows]
        asked = {
            place: prompt.render(
                question=conversation(problem.question, problem.payload, turn_chars=most),
                response=defuse(text, most_chars=most),
            )
            for place, (problem, text) in enumerate(rows)
            if early[place] is None
        }
        heard = self._ask(asked, safety.SCHEMA)
        return [found or _harmless(heard[place], rows[place][1]) for place, found in enumerate(early)]

    def _ask(self, asked: Mapping[int, Messages], schema: str) -> dict[int, list[Vote]]:
        """The votes about each place; equal matters are asked once."""
        options, schema = self._options, schema if self._options.structured else ""
        ballots = {
            place: ballot(
                self._spec.identity,
                [messages] * options.votes,
                options.sampling,
                run_seed=self._seed,
                schema=schema,
            )
            for place, messages in asked.items()
        }
        wanted = {request.key: request for requests in ballots.values() for request in requests}
        heard = self._hear(list(wanted.values())) if wanted else {}
        return {place: [heard[request.key] for request in requests] for place, requests in ballots.items()}

    def _hear(self, wanted: Sequence[Request]) -> dict[str, Vote]:
        """Every vote; a request that has no reply when the time is up counts as failed, and is given up."""
        deadline_s, begun = self._options.deadline_s, monotonic()
        silent = Vote(f"no reply within {deadline_s:g} s", whole=False, tokens=0)
        heard = {request.key: silent for request in wanted}
        groups = self._open().batches(wanted)
        for group in groups:
            heard |= {reply.key: Vote.of(reply) for reply in group}
            if monotonic() - begun > deadline_s:
                break
        del groups  # ends its requests
        return heard

    def _open(self) -> Engine:
        if self._engine is None:
            engine = open_engine(self._spec.kind, self._spec.options, where=f"engines.{self._options.engine}")
            self._engine = Cached(engine, RequestStore(self._store), known_as=self._spec.identity)
        return self._engine

    def _prompt(self, name: str) -> Prompt:
        return Prompt(name, tuple((role, text) for role, text in self._spec.prompts[name]))


def _no_answer(answer: str) -> Verdict | None:
    return None if answer.strip() else Verdict.no_answer("nothing after the thought")


def _own_score(answer: str) -> Verdict | None:
    """An answer that holds a score, as a policy would that has learnt to talk to its judge, is not believed."""
    found = _OWN_SCORE.search(folded(readable(answer)))
    return Verdict(Outcome.ERROR, detail=f"the answer scores itself: {found[0]!r}") if found else None


def _ruled(problem: Problem, text: str) -> Verdict | None:
    done = harm_done(problem.question, text)
    return Verdict.of(False, detail=f"{done[0]}: the rules see {done[1][:80]!r}") if done else None


def _helpful(votes: Sequence[Vote]) -> Verdict:
    read = rubric.read_votes([vote.reply for vote in votes])
    if not read:
        return _unread(votes)
    score = (fmean(map(rubric.mean, read)) - rubric.LEAST) / (rubric.MOST - rubric.LEAST)
    return Verdict(Outcome.CORRECT if score >= 0.5 else Outcome.WRONG, score)


def _harmless(votes: Sequence[Vote], response: str) -> Verdict:
    opinion = safety.majority([vote.reply for vote in votes], response=response)
    if opinion.safety is safety.Safety.UNCLEAR:
        return _unread(votes)
    return Verdict.of(
        opinion.safety is safety.Safety.SAFE, detail=f"{opinion.safety} {opinion.category}".strip()
    )


def _unread(votes: Sequence[Vote]) -> Verdict:
    return Verdict(Outcome.ERROR, detail=f"no verdict from the judge: {votes[0].said[:120]!r}")
