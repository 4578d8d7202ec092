"""What a run's steps have spent so far, held against the pipeline's budget."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from distillery.errors import ConfigError
from distillery.pipeline import EngineSpec, Plan
from distillery.pipeline.prices import Prices

_SECONDS_AN_HOUR = 3600.0


class Spent(NamedTuple):
    prompt_tokens: float = 0.0
    completion_tokens: float = 0.0


class Purse:
    """Adds up what the steps drew, at the prices of their engines."""

    def __init__(self, plan: Plan, prices: Prices) -> None:
        self._budget = plan.budget
        self._usd = {step.id: (0.0, 0.0) for step in plan.steps}  # a token: prompt, completion
        if plan.budget.max_cost is not None:
            for step in plan.steps:
                if step.engines:
                    self._usd[step.id] = _prices_of(plan.engines[step.engines[0]], prices)

    def reached(self, spent: Mapping[str, Spent], seconds: float) -> str:
        """Which limit is used up; "" if none."""
        budget = self._budget
        tokens = sum(one.prompt_tokens + one.completion_tokens for one in spent.values())
        if budget.max_tokens is not None and tokens >= budget.max_tokens:
            return f"max_tokens: {tokens:,.0f} of {budget.max_tokens:,.0f} tokens are drawn"
        cost = self.cost(spent)
        if budget.max_cost is not None and cost >= budget.max_cost:
            return f"max_cost: {cost:,.2f} of {budget.max_cost:,.2f} USD are spent"
        if budget.max_hours is not None and seconds >= budget.max_hours * _SECONDS_AN_HOUR:
            hours = seconds / _SECONDS_AN_HOUR
            return f"max_hours: the run has taken {hours:.2f} of {budget.max_hours:g} hours"
        return ""

    def cost(self, spent: Mapping[str, Spent]) -> float:
        """USD."""
        return sum(
            one.prompt_tokens * self._usd[step][0] + one.completion_tokens * self._usd[step][1]
            for step, one in spent.items()
        )


def _prices_of(engine: EngineSpec, prices: Prices) -> tuple[float, float]:
    """USD a token: an API's own prices, else the GPU's time at the speed the price file gives."""
    model = str(engine.options.get("model", ""))
    if model in prices.api:
        price = prices.api[model]
        return price.input_usd / 1e6, price.output_usd / 1e6
    size = prices.size(model)
    speed = prices.speed(size, prices.gpu) if size and prices.gpu else None
    if speed is None:
        raise ConfigError(
            f"budget.max_cost: the price of engine {engine.name!r} (model {model!r}) is not known;"
            " put it into prices.yaml under api, or under models with tokens_per_gpu_second"
        )
    return 0.0, prices.gpus[prices.gpu].usd_per_hour / _SECONDS_AN_HOUR / speed
