from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field

from distillery.reference.options import Option, options


class Colour(StrEnum):
    RED = "red"
    """As blood."""
    BLUE = "blue"
    """As the sky."""


@dataclass(frozen=True)
class Window:
    """A hole in a wall."""

    width_m: Annotated[float, Field(gt=0)] = 1.0
    """Metres."""
    colour: Colour = Colour.RED
    """Of the frame."""


@dataclass(frozen=True)
class House:
    """Walls and a roof."""

    floors: Annotated[int, Field(ge=1)]
    """How many."""
    front: Window = Window(width_m=2.5)
    """The window beside the door."""
    others: tuple[Window, ...] = ()
    """Further windows."""
    by_room: dict[str, Window] = field(default_factory=dict[str, Window])
    """Windows of a room."""
    lights: Literal["on", "off"] = "off"
    """When you come."""
    door: Path | None = field(default=None, metadata={"identity": False})
    """null: none."""
    inhabited: bool = field(default=True, init=False)


def found() -> dict[str, Option]:
    return {option.name: option for option in options(House)}


def test_options_of_every_depth_are_found_in_their_order():
    assert list(found()) == [
        "floors",
        "front",
        "front.width_m",
        "front.colour",
        "others",
        "others[].width_m",
        "others[].colour",
        "by_room",
        "by_room.*.width_m",
        "by_room.*.colour",
        "lights",
        "door",
    ]


def test_an_option_without_a_default_must_be_given():
    assert found()["floors"] == Option(
        name="floors", type="whole number (at least 1)", default=None, about="How many.", choices=()
    )


def test_the_default_of_a_group_is_what_the_class_around_it_says():
    assert found()["front.width_m"].default == "2.5"
    assert found()["others[].width_m"].default == "1.0"


def test_values_of_a_closed_set_say_what_they_mean():
    assert found()["front.colour"].choices == (("red", "As blood."), ("blue", "As the sky."))


def test_a_default_that_yaml_would_misread_is_quoted():
    assert found()["lights"].default == "'off'"
    assert found()["lights"].type == "one of 'on', 'off'"


def test_what_is_no_part_of_the_identity_says_so():
    assert found()["door"].about == "null: none. No part of the identity."


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int, "whole number"),
        (bool, "true or false"),
        (str, "text"),
        (Path, "path"),
        (Any, "anything"),
        (int | None, "whole number or null"),
        (Annotated[float, Field(ge=0, lt=1)], "number (at least 0, below 1)"),
        (Annotated[int, Field(ge=1)] | Literal["auto"], "whole number (at least 1) or auto"),
        (tuple[str, ...], "list of text"),
        (list[str | int], "list of (text or whole number)"),
        (Annotated[tuple[str, ...], Field(min_length=1)], "non-empty list of text"),
        (tuple[float, float], "[number, number]"),
        (dict[str, float], "mapping to number"),
        (dict[str, Any], "mapping to anything"),
        (str | dict[str, str], "text or mapping to text"),
        (Window, "group"),
        (tuple[Window, ...], "list of group"),
        (Colour, "one of red, blue"),
    ],
    ids=str,
)
def test_a_type_is_said_in_words(hint, words):
    one = dataclass(type("One", (), {"__annotations__": {"x": hint}, "__module__": __name__}))
    assert options(one)[0].type == words
