from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Annotated, Any

import pytest
from pydantic import Field
from typing_extensions import TypedDict

from distillery.config import apply_settings, build, identity
from distillery.engines import KINDS, engine_class
from distillery.engines.mock.replies import MockOptions
from distillery.errors import ConfigError
from distillery.pipeline.budget import Budget
from distillery.pipeline.expect import Expect
from distillery.pipeline.plan import Workers
from distillery.pipeline.prices import Prices
from distillery.stages import STAGES, stage_class


@dataclass(frozen=True)
class Inner:
    top_p: float = 0.95


@dataclass(frozen=True)
class Outer:
    samples: int
    inner: Inner = Inner()
    many: tuple[Inner, ...] = ()
    extra: dict[str, float] = field(default_factory=dict)
    jobs: int = field(default=1, metadata={"identity": False})


def test_options_become_typed_values():
    made = build(Outer, {"samples": 2, "inner": {"top_p": 0.5}, "many": [{"top_p": 1}]}, where="x")
    assert made == Outer(2, Inner(0.5), (Inner(1.0),))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sampels": 1}, "x: unknown option 'sampels'; did you mean 'samples'?"),
        ({"samples": 1, "zzz": 1}, "x: unknown option 'zzz'; it takes extra, inner, jobs, many, samples"),
        ({"samples": "two"}, "x.samples: Input should be a valid integer"),
        ({}, "x.samples: this option is missing"),
        ([1], "x: is [1]; options are a mapping"),
        ({"samples": 1, "inner": {"topp": 1}}, "x.inner: unknown option 'topp'; did you mean 'top_p'?"),
        ({"samples": 1, "many": [{}, {"q": 1}]}, "x.many[1]: unknown option 'q'"),
    ],
)
def test_a_wrong_option_says_where_and_what_would_be_right(options, says):
    with pytest.raises(ConfigError) as caught:
        build(Outer, options, where="x")
    assert says in str(caught.value)


def test_a_class_that_no_file_can_describe_is_named():
    @dataclass
    class Keeper:
        lock: Lock

    with pytest.raises(TypeError, match="Keeper cannot be built from YAML"):
        build(Keeper, {"lock": 1}, where="stages.keep")


def test_identity_leaves_out_what_cannot_change_the_result():
    assert identity(Outer(1, jobs=8)) == identity(Outer(1, jobs=1))
    assert identity(Outer(1)) != identity(Outer(2))
    assert "jobs" not in identity(Outer(1))


def test_settings_reach_stages_by_id_and_read_yaml():
    raw = {"seed": 0, "stages": [{"id": "a", "use": "x"}, {"id": "b", "use": "y", "with": {"n": 1}}]}
    apply_settings(raw, ["seed=3", "stages.b.n=4", "stages.a.list=[1, 2]", "workers.jobs=2"])
    assert raw["seed"] == 3
    assert raw["stages"][1]["with"] == {"n": 4}
    assert raw["stages"][0]["with"] == {"list": [1, 2]}
    assert raw["workers"] == {"jobs": 2}


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("seed", "no '=' in it"),
        ("stages.bb.n=1", "did you mean 'b'"),
        ("stages.b.n=[1", "the value is not YAML"),
        ("seed.deep=1", "holds 0, which has no options inside"),
        ("engines.x.model=1", "has no such part"),
        ("stages.b=1", "is a whole stage; write stages.b.OPTION=value"),
    ],
)
def test_a_wrong_setting_is_one_clear_error(setting, says):
    raw = {"seed": 0, "stages": [{"id": "b", "use": "y"}]}
    with pytest.raises(ConfigError, match="--set") as caught:
        apply_settings(raw, [setting])
    assert says in str(caught.value)


@dataclass(frozen=True)
class Pace:
    speed: float = 0.6
    most: int = 100


@dataclass(frozen=True)
class Judge:
    pace: Pace = Pace(speed=0.0, most=10)


def test_options_that_a_group_is_not_given_are_those_of_the_class_and_not_of_the_group():
    assert build(Judge, {"pace": {"most": 64}}, where="x") == Judge(Pace(speed=0.0, most=64))
    assert build(Judge, {}, where="x") == Judge(Pace(speed=0.0, most=10))


class Price(TypedDict, total=False):
    usd: typing.Required[float]


@dataclass(frozen=True)
class Deep:
    by_name: dict[str, Inner] = field(default_factory=dict)
    either: str | list[str] | Inner | None = None
    words_or_more: tuple[str | Inner, ...] = ()
    pair: tuple[Price, Annotated[Inner, Field()]] | None = None
    lists: Mapping[str, list[list[Inner]]] = field(default_factory=dict)
    two_kinds: Inner | Pace | None = None
    anything: dict[str, Any] = field(default_factory=dict)
    inner_or_free: Inner | dict[str, int] | None = None


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"by_name": {"a": {}, "b": {"topp": 1}}},
            "x.by_name.b: unknown option 'topp'; did you mean 'top_p'?",
        ),
        ({"either": {"top": 1}}, "x.either: unknown option 'top'"),
        ({"words_or_more": ["a", {"top_p": 1}, {"tp": 1}]}, "x.words_or_more[2]: unknown option 'tp'"),
        ({"pair": [{"usd": 1, "eur": 1}, {}]}, "x.pair[0]: unknown option 'eur'; it takes usd"),
        ({"pair": [{"usd": 1}, {"usd": 1}]}, "x.pair[1]: unknown option 'usd'; it takes top_p"),
        ({"lists": {"a": [[], [{}, {"b": 1}]]}}, "x.lists.a[1][1]: unknown option 'b'"),
        ({"two_kinds": {"speed": 1, "mots": 1}}, "x.two_kinds: unknown option 'mots'; did you mean 'most'?"),
    ],
)
def test_an_unknown_name_is_refused_however_deep_it_lies(options, says):
    with pytest.raises(ConfigError) as caught:
        build(Deep, options, where="x")
    assert says in str(caught.value)


def test_what_is_free_by_its_type_stays_free():
    options = {"anything": {"a": {"b": [{"c": 1}]}}, "inner_or_free": {"seats": 2}, "either": ["top"]}
    assert build(Deep, options, where="x").anything == {"a": {"b": [{"c": 1}]}}
    assert build(Deep, {"two_kinds": {"most": 5}}, where="x").two_kinds == Pace(most=5)


def names_of(kind: Any) -> list[str] | None:
    if hasattr(kind, "__required_keys__"):
        return list(typing.get_type_hints(kind))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return [f.name for f in dataclasses.fields(kind) if f.init]
    return None


def planted(hint: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any, str]]:
    """For each group of options inside `hint`: its place, a value with a misspelt option there, and that
    option."""
    kind, parts = typing.get_origin(hint) or hint, typing.get_args(hint)
    names = names_of(kind)
    if names is not None and kind not in above:
        wrong = f"{max(names, key=len)}x" if names else "whatever"
        yield "", {wrong: 1}, wrong
        hints = typing.get_type_hints(kind)
        for name in names:
            for place, value, wrong in planted(hints[name], (*above, kind)):
                yield f".{name}{place}", {name: value}, wrong
    elif kind in (typing.Union, types.UnionType):
        for part in parts:
            yield from planted(part, above)
    elif parts and isinstance(kind, type) and issubclass(kind, Mapping):
        for place, value, wrong in planted(parts[1], above):
            yield f".some{place}", {"some": value}, wrong
    elif parts and isinstance(kind, type) and issubclass(kind, (tuple, list)):
        for number, part in enumerate(parts):
            for place, value, wrong in planted(part, above):
                yield f"[{number}]{place}", [None] * number + [value], wrong


OPTIONS = {
    **{use: stage_class(use) for use in STAGES},
    **{f"engine {kind}": engine_class(kind) for kind in KINDS},
    **{cls.__name__: cls for cls in (Budget, Expect, MockOptions, Prices, Workers)},
}
SPOTS = [
    pytest.param(cls, place, value, wrong, id=name + place)
    for name, cls in OPTIONS.items()
    for place, value, wrong in planted(cls)
]


@pytest.mark.parametrize(("cls", "place", "value", "wrong"), SPOTS)
def test_a_misspelt_option_is_refused_wherever_the_program_takes_options(cls, place, value, wrong):
    with pytest.raises(ConfigError) as caught:
        build(cls, value, where="x")
    assert str(caught.value).startswith(f"x{place}: unknown option {wrong!r}; ")


def test_that_walk_goes_everywhere():
    reached = {spot.id for spot in SPOTS}
    assert reached > {
        *OPTIONS,
        "generate.traces.sampling",
        "generate.traces.adaptive",
        "mix.quota.quotas[0].where.some",
        "train.grpo.judge.sampling",
        "train.sft.lora",
        "dedup.semantic.embedding",
        "Prices.gpus.some",
    }
