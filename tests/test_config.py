from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

import pytest

from distillery.config import apply_settings, build, identity
from distillery.errors import ConfigError


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
