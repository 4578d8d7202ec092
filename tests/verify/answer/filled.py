"""Endings with letters and values filled in: @ the right one, § another, ~ and ¤ the texts of the two."""

import json
from collections.abc import Iterator

from distillery.records import Problem

LETTERS = "ABCDEFGHIJ"
VALUES = [("5", "8"), ("12", "15"), ("65000", "64000"), ("3.5", "4.5"), ("1/2", "1/3")]
CHOICES = {
    "en": ["red wine", "blue cheese", "green tea", "white bread", "black ink", "pink salt", "brown rice", "grey wolf",
           "gold coin", "silver spoon"],
    "zh": ["红色的花", "蓝色的海", "绿色的草", "白色的云", "黑色的夜", "粉色的糖", "棕色的熊", "灰色的狼", "金色的光", "银色的月"],
}  # fmt: skip
BEFORE = "<think>t</think>We look at them in turn. 我们逐一比较。\n\n"


def filled(
    checker: str, ending: str, language: str, *, of: str = LETTERS
) -> Iterator[tuple[str, Problem, str]]:
    """The ending, a problem whose gold is @, and the completion; letters with the choices' texts and without."""
    if checker == "math":
        for value, other in VALUES:
            text = BEFORE + ending.replace("@", value).replace("§", other)
            yield ending, Problem("q", value, checker="math"), text
        return
    choices = CHOICES[language]
    payloads = ["{}", json.dumps({"choices": choices})]
    for payload in payloads[1 if "~" in ending or "¤" in ending else 0 :]:
        for letter in of:
            place = LETTERS.index(letter)
            other = (place + 3) % len(LETTERS)
            text = (
                ending.replace("~", choices[place]).replace("¤", choices[other]).replace("§", LETTERS[other])
            )
            problem = Problem("q", letter, checker="choice", payload=payload)
            yield ending, problem, BEFORE + text.replace("@", letter)
            if any(wrapped in text for wrapped in ("(@)", "（@）", "{@}", "**@**")) and "~" not in ending:
                yield ending, problem, BEFORE + text.replace("@", letter.lower())
