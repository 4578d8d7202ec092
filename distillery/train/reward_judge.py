"""A model's opinion of general answers as a reward, where R1 has two preference reward models.

DeepSeek-R1, section 2.3.4 and its appendix on reward models: helpfulness is judged on the final summary
alone, harmlessness on the whole response, and each general prompt gets the reward of the set it is from.
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
    """Scores in [0, 1]. What the judge says is kept in `store`: nothing is asked twice, and a training that
    goes on from a checkpoint hears the same. Processes that train together may share `store`."""

    def __init__(self, spec: JudgeSpec, options: JudgeOptions, *, seed: int, store: Path) -> None:
        self._spec, self._options, self._seed, self._store = spec, options, seed, store
        self._engine: Engine | None = None  # opened at first use: until then this can be pickled

    def verdicts(self, reward: str, rows: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        """One a row, in order; an ERROR without a score where the judge gave no verdict.

        `helpfulness` is the mean score of the rubric's points over the votes, from 1..10 to 0..1;
        `harmlessness` is 1 where the judge finds no harm and no needless refusal. What the rules object to,
        it is not asked about.
        """
        options, helpful = self._options, reward == "helpfulness"
        name = options.helpfulness_prompt if helpful else options.harmlessness_prompt
        most = options.answer_chars if helpful else options.response_chars
        prompt = Prompt(name, tuple((role, text) for role, text in self._spec.prompts[name]))
        early: list[Verdict | None] = []
        asked: dict[int, Messages] = {}
        for place, (problem, text) in enumerate(rows):
            answer = split(text).answer or ""
            ruled = _no_answer(answer) or (_own_score(answer) if helpful else _ruled(problem, text))
            early.append(ruled)
            if ruled is None:
                question = conversation(problem.question, problem.payload, turn_chars=most)
                shown = defuse(answer if helpful else text, most_chars=most)
                asked[place] = prompt.render(
                    question=question, **{"answer" if helpful else "response": shown}
                )
        heard = self._ask(asked, rubric.SCHEMA if helpful else safety.SCHEMA)
        return [
            ruled or (_helpful(heard[place]) if helpful else _harmless(heard[place], rows[place][1]))
            for place, ruled in enumerate(early)
        ]

    def close(self) -> None:
        if self._engine is not None:
            self._engine.close()

    def _ask(self, asked: Mapping[int, Messages], schema: str) -> dict[int, list[Vote]]:
        """The votes about each place; equal matters are asked once."""
        options, schema = self._options, schema if self._options.structured else ""
        identity, seed = self._spec.identity, self._seed
        ballots = {
            place: ballot(
                identity, [messages] * options.votes, options.sampling, run_seed=seed, schema=schema
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
            name, kind = self._options.engine, self._spec.kind
            engine = open_engine(kind, self._spec.options, where=f"engines.{name}")
            store = RequestStore(self._store)
            self._engine = Cached(engine, store, known_as=self._spec.identity, name=name, kind=kind)
        return self._engine


def _no_answer(answer: str) -> Verdict | None:
    return None if answer.strip() else Verdict.no_answer("nothing after the thought")


def _own_score(answer: str) -> Verdict | None:
    """An answer that holds a score, as a policy would that learnt to talk to its judge, is not believed."""
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
    safe = opinion.safety is safety.Safety.SAFE
    return Verdict.of(safe, detail=f"{opinion.safety} {opinion.category}".strip())


def _unread(votes: Sequence[Vote]) -> Verdict:
    return Verdict(Outcome.ERROR, detail=f"no verdict from the judge: {votes[0].said[:120]!r}")
