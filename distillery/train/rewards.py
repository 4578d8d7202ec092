"""The verify stage's judges, and a model where rules cannot judge, in the shape TRL's GRPOTrainer calls."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from distillery.errors import ConfigError, DistilleryError
from distillery.records import Outcome
from distillery.train.examples import problems
from distillery.train.options import JUDGED, PARTS
from distillery.verify.math.repeats import may_repeat
from distillery.verify.pool.processes import judge
from distillery.verify.pool.unjudged import unjudged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from distillery.records import Problem, Verdict
    from distillery.train.reward_judge import RewardJudge

log = logging.getLogger(__name__)

_ALARM_SHARE = 0.05  # of a call's verdicts
_MOST_BLIND = 3


class CheckedReward:
    """The weighted sum of what the checkers say. A class, not a closure: TRL may pickle it to a worker.

    Not judged is not zero: a completion that a checker could not judge gets None, and TRL leaves it out of
    its group. One sum instead of one function a part, because TRL would count a missing part as zero.

    A completion whose language neither row nor question nor thought tells has no part for it, and is counted.

    Many time-outs or errors are said loudly. When a few calls in a row could judge nothing at all, it raises:
    there is nothing to learn from, and the machine is to be mended first.
    """

    __name__ = "checked"

    def __init__(
        self,
        weights: Mapping[str, float],
        by_model: RewardJudge | None = None,
        *,
        own: Sequence[str] = (),
        repeats_are_wrong: bool = True,
    ) -> None:
        self.weights = dict(weights)
        self._by_model = by_model
        self._own = tuple(own)
        self._repeats_are_wrong = repeats_are_wrong
        self._untold = 0  # completions so far whose language nothing told
        self._blind = 0  # calls in a row in which nothing could be judged

    def __call__(
        self,
        completions: Sequence[str | Sequence[Mapping[str, str]]],
        log_metric: Callable[[str, float], None] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        before = self._untold
        texts = [done if isinstance(done, str) else done[-1]["content"] for done in completions]
        scored = self.parts(list(zip(problems(columns), texts, strict=True)))
        if log_metric:
            self._log(scored, log_metric)
            if untold := self._untold - before:
                log_metric("rewards/language_untold", untold / len(texts))
        return [self.total(parts) for parts in scored]

    def parts(self, rows: Sequence[tuple[Problem, str]]) -> list[dict[str, float | None]]:
        """For each row, the score of each part that applies to it."""
        scored: list[dict[str, float | None]] = [{} for _ in rows]
        verdicts: list[Verdict] = []
        for name in self.weights:
            places = [place for place, (problem, _) in enumerate(rows) if self._applies(name, problem)]
            found = self._verdicts(name, [rows[place] for place in places])
            for place, verdict in zip(places, found, strict=True):
                if name != "language" or verdict.outcome is not Outcome.NO_GOLD:
                    scored[place][name] = verdict.score
            verdicts += found
            self._say_untold(len(places) - sum(name in parts for parts in scored), len(places))
        self._look_for_faults(scored, verdicts)
        return scored

    def _applies(self, name: str, problem: Problem) -> bool:
        """A row that a model judges gets that in the place of its accuracy."""
        if name in JUDGED:
            return problem.checker == JUDGED[name]
        if name == "accuracy":
            return all(problem.checker != JUDGED[other] for other in JUDGED.keys() & self.weights)
        return True

    def _say_untold(self, untold: int, rows: int) -> None:
        if untold and not self._untold:
            log.warning(
                "rewards: language: %d of %d completions could not be told; not rewarded", untold, rows
            )
        self._untold += untold

    def _verdicts(self, name: str, rows: Sequence[tuple[Problem, str]]) -> list[Verdict]:
        if name not in JUDGED:
            checker = PARTS.get(name, name)
            judged = [(replace(row, checker=checker) if checker else row, text) for row, text in rows]
            if not self._repeats_are_wrong:
                judged = [(may_repeat(row), text) for row, text in judged]
            return judge(judged, own=self._own)
        if self._by_model is None:
            raise ConfigError(f"rewards: {name!r} is a model's to give, and there is none")
        return self._by_model.verdicts(name, rows)

    def _look_for_faults(
        self, scored: Sequence[Mapping[str, float | None]], verdicts: Sequence[Verdict]
    ) -> None:
        fault = unjudged(verdicts, share=_ALARM_SHARE)
        if fault:
            log.warning("rewards: %s", fault)
        nothing = fault and all(None in parts.values() for parts in scored)
        self._blind = self._blind + 1 if nothing else 0
        if self._blind >= _MOST_BLIND:
            raise DistilleryError(
                f"rewards: {fault}, and no reward in {self._blind} steps; mend that and start again, the run "
                "goes on from its last checkpoint"
            )

    def total(self, parts: Mapping[str, float | None]) -> float | None:
        scores = {name: score for name, score in parts.items() if score is not None}
        return None if len(scores) < len(parts) else sum(self.weights[name] * scores[name] for name in scores)

    def _log(
        self, scored: Sequence[Mapping[str, float | None]], log_metric: Callable[[str, float], None]
    ) -> None:
        for name in self.weights:
            judged = [score for parts in scored if (score := parts.get(name)) is not None]
            if judged:
                log_metric(f"rewards/{name}", sum(judged) / len(judged))
        log_metric("rewards/unjudged", sum(None in parts.values() for parts in scored) / max(1, len(scored)))
