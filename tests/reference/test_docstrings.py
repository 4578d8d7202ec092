from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from distillery.reference.docstrings import docstrings


class Colour(StrEnum):
    RED = "red"
    """As blood."""
    BLUE = "blue"


@dataclass
class House:
    """Not a field's."""

    rooms: int = 3
    """Rooms with a
    window."""
    colour: Colour = Colour.RED
    doors: int = 1
    """Doors."""

    def open(self) -> None:
        """Not a field's either."""


@dataclass
class Tower(House):
    rooms: int = 1
    doors: int = 2
    """Doors, one above the other."""


def test_what_stands_below_a_field_is_its_docstring():
    assert docstrings(House) == {"rooms": "Rooms with a window.", "doors": "Doors."}


def test_what_stands_below_a_member_of_an_enum_is_its_docstring():
    assert docstrings(Colour) == {"RED": "As blood."}


def test_a_class_says_what_its_base_class_says_unless_it_says_it_itself():
    assert docstrings(Tower) == {"rooms": "Rooms with a window.", "doors": "Doors, one above the other."}
