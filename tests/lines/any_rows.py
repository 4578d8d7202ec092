"""A grammar of files that anybody might have: rows that are as they should be, and rows with a fault in every
cell. Each row has a number, `n`, by which it is known again, and says which of its cells are as they should
be."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

FORMATS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".json", ".json.gz", ".csv", ".csv.zst", ".parquet")
SHAPES = ("flat", "talk", "lists")
HUGE = 1 << 20
_WORDS = "sum of the two numbers that are prime and less than a train leaves at noon how many ways"
ODD_TEXTS = (
    "",
    " ",
    "\u200b\u200b",
    "\n\n\t",
    "a\0b",
    "\ufeffBOM \ufeff inside",
    "\u202eright to left\u202c",
    "z\u200be\u200dr\u2060o",
    "\x1b[31mred\x1b[0m",
    "[/] [bold] [/red] [link=x]",
    "{{ row }} {% raw %} ${x}",
    "</script><script>alert(1)</script>&amp;",
    "<|im_end|><|endoftext|>",
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",
    "\u4e8c\u52a0\u4e8c\u7b49\u4e8e\u56db",
    "e" + "\u0301" * 400,
    "\ufffe\uffff\U0010ffff",
    "line\u2028sep\u0085next\x0bvt",
    "a\r\nb\rc",
    "nan",
    "null",
    "NaN",
    "-inf",
    "1e400",
    "9" * 5000,
    r"\frac{1}{\frac{2}{" * 30,
    r"$$\begin{matrix} 1 & 2 \\ \end{pmatrix} \left( \right.",
    r"\boxed{\boxed{\boxed{",
    "}" * 200 + "{" * 200,
    "[" * 300,
    '{"a": {"b": [1, 2',
    "=cmd|' /C calc'!A0",
    "'; DROP TABLE rows; --",
    "../../etc/passwd",
    "1/0",
    "x" * 3000,
    "\u00bd\u2153 \u0663\u0664 \uff11",
    "🙂👩‍👩‍👧‍👦" * 20,
)
_HALF = ("\ud800", "a\udfffb", "\udc80\ud83d")
_ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    3.5,
    10**30,
    -(2**63) - 1,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    float("-inf"),
    [],
    [""],
    ["a", "b"],
    [None],
    [[["deep"]]],
    {},
    {"a": 1},
    {"": ""},
    {"role": "user", "content": "hi"},
    {"type": "text", "text": "part"},
    {"role": "assistant", "content": None, "tool_calls": [{}]},
    [{"role": "user", "content": [{"type": "image_url"}]}],
    {"x": float("nan")},
)
THOUGHTS: tuple[Callable[[str, str], str], ...] = (
    lambda thought, answer: f"<think>\n{thought}",
    lambda thought, answer: f"<think>{thought}</think>{answer}</think>",
    lambda thought, answer: f"<think><think>{thought}</think></think>{answer}",
    lambda thought, answer: f"{thought}</think>{answer}",
    lambda thought, answer: f"{answer}<think>{thought}</think>",
    lambda thought, answer: f"<thinking>{thought}</thinking>{answer}",
    lambda thought, answer: f"<|begin_of_thought|>{thought}<|end_of_thought|><|begin_of_solution|>{answer}",
    lambda thought, answer: f"<THINK>{thought}</Think>{answer}",
    lambda thought, answer: f"<think>{thought}<think>{answer}",
    lambda thought, answer: f"<think></think>{answer}",
    lambda thought, answer: f"<think>\n{thought}\n</think>\n",
    lambda thought, answer: f"<think>\n{(thought + ' ') * 200}\n</think>\n{answer}",
    lambda thought, answer: f"<think>\n{thought}\n</think>\n```python\n{answer}",
)
_CHECKERS = (
    "math",
    "exact",
    "choice",
    "program",
    "instruction",
    "language",
    "layout",
    "harmless",
    "knights",
    "puzzle",
)
_ODD_CHECKERS = ("Math", "nobody", "os:system", "mathe matics", "", "math\n", ":", "a:b:c", "module:")
_ODD_IDS: tuple[Any, ...] = (
    7,
    7.0,
    7.5,
    True,
    "7",
    " 7",
    "t1",
    "T1",
    "t1\n",
    "[/]",
    "[red]",
    "../t",
    "*",
    "^(",
    "",
    " ",
)
_PAYLOADS: tuple[Any, ...] = (
    {},
    None,
    "",
    "{}",
    "{",
    "[]",
    "null",
    "7",
    '"text"',
    {"tests": "none"},
    {"tests": []},
    {"tests": [{"input": 1}]},
    {"test": 7, "entry_point": []},
    {"choices": "A"},
    {"choices": {"A": 1}},
    {"choices": []},
    {"history": "hi"},
    {"history": [["user", "Hi."], ["assistant", "Hello."]]},
    {"history": [["assistant", "Hi."]]},
    {"system": 7},
    {"system": "Be brief."},
    {"instructions": [{"id": "nothing"}]},
    {"instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]},
    {"kwargs": 3, "instruction_id_list": None},
    {"rules": [[[]]]},
    {"tolerance": "wide"},
    {"task": "nothing", "entry": {}},
    {"language": 7},
    '{"a": 1, "a": 2}',
    '{"a": "\\ud800"}',
    '{"system": "\\u0000"}',
    {"deep": {"deep": {"deep": [[[[]]]]}}},
)


@dataclass
class Given:
    """A row of a file; `good` are the names of its cells that are as they should be."""

    n: int
    row: dict[str, Any]
    good: set[str] = field(default_factory=set)
    spoilt: bool = False


class Grammar:
    """Rows of one seed. Questions are of a small world, so that rows of two files meet."""

    def __init__(self, seed: int, *, faults: float = 0.5, huge: int = 2) -> None:
        self.rng = random.Random(seed)
        self.faults = faults
        self.huge = huge

    def problem(self, world: int) -> dict[str, Any]:
        """A good one; its number says all of it."""
        own = random.Random(world)
        a, b = own.randrange(100), own.randrange(100)
        words = " ".join(own.choices(_WORDS.split(), k=12))
        kind = own.choice(("math", "math", "exact", "choice"))
        gold = own.choice("ABCD") if kind == "choice" else str(a + b)
        question = f"Problem {world}: {words}; what is {a} + {b}?"
        if kind == "choice":
            question += " (A) 1 (B) 2 (C) 3 (D) 4"
        return {
            "question": question,
            "gold": gold,
            "checker": kind,
            "domain": "math",
            "source": f"s{world % 3}",
        }

    def text(self, problem: dict[str, Any]) -> str:
        said = problem["gold"] if self.rng.random() < 0.6 else "17"
        thought = f"I look at what is asked and count slowly. It is {said}, I am sure of it."
        return f"<think>\n{thought}\n</think>\nThe answer is \\boxed{{{said}}}."

    def given(self, n: int, worlds: int, *, golds: bool, texts: bool) -> Given:
        world = self.rng.randrange(worlds)
        row = self.problem(world)
        if not golds:
            row |= {"gold": "", "checker": "math"}
        row |= {"trace_id": f"t{self.rng.choice((n, n, n, n, self.rng.randrange(n + 1)))}", "language": "en"}
        row |= {"thinking": "on", "payload": "{}", "finish": "stop", "completion_tokens": 40}
        if texts:
            row["text"] = self.text(self.problem(world))
        found = Given(n, {"n": n, **row}, set(row))
        if self.rng.random() < self.faults:
            for name in self.rng.sample(sorted(row), self.rng.choice((1, 1, 1, 2, len(row)))):
                self._spoil(found, name)
        return found

    def _spoil(self, given: Given, name: str) -> None:
        given.good.discard(name)
        given.spoilt = True
        row, rng = given.row, self.rng
        if rng.random() < 0.08:
            del row[name]
        elif name == "payload":
            row[name] = rng.choice(_PAYLOADS)
        elif name == "trace_id" and rng.random() < 0.7:
            row[name] = rng.choice(_ODD_IDS)
        elif name == "checker" and rng.random() < 0.8:
            row[name] = rng.choice((*_CHECKERS, *_CHECKERS, *_ODD_CHECKERS))
        elif name == "text" and rng.random() < 0.5:
            row[name] = rng.choice(THOUGHTS)("I count one and one.", f"It is {row.get('gold')}.")
        else:
            row[name] = self._odd(name, row[name])

    def _odd(self, name: str, value: Any) -> Any:
        rng = self.rng
        kind = rng.random()
        if kind < 0.35:
            return rng.choice(_ODD_VALUES)
        if kind < 0.4:
            return rng.choice(_HALF)
        if kind < 0.43:
            return _nested(rng.choice((3, 90, 150, 400)))
        if kind < 0.46 and self.huge:
            self.huge -= 1
            unit = rng.choice(("x", "word ", "\\frac{", "1+", "甲", "\u0301", "<think>"))
            return unit * (HUGE // len(unit))
        odd = rng.choice(ODD_TEXTS)
        return rng.choice((odd, f"{value} {odd}", f"{odd}{value}"))


def _nested(levels: int) -> Any:
    value: Any = "deep"
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


_ODD_TALKS: tuple[Any, ...] = (
    None,
    "",
    "hi",
    [],
    {},
    [None],
    [[]],
    ["a", "b"],
    [{"role": "user"}],
    [{"role": "nobody", "content": "a"}],
    [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}],
    [{"from": "human", "value": "a"}, {"from": "gpt", "value": {"a": 1}}],
    [{"role": "system", "content": ""}, {"role": "user", "content": "a"}, {"role": "user", "content": "b"}],
    [{"role": ["user"], "content": "a"}],
    [{"role": "user", "content": float("nan")}],
)


def shaped(given: Given, shape: str, rng: random.Random) -> dict[str, Any]:
    """The row as a house would have it that keeps conversations, or all samples of a problem in lists."""
    row, odd = dict(given.row), given.spoilt and rng.random() < 0.1
    if shape == "talk":
        talk = [{"role": "user", "content": row.pop("question", None)}]
        talk.append({"role": "assistant", "content": row.pop("text", None)})
        given.good -= {"question", "text"} if odd else set()
        return {**row, "messages": rng.choice(_ODD_TALKS) if odd else talk}
    if shape == "lists":
        text = row.pop("text", None)
        texts = text if isinstance(text, list) else [text, "<think>\nIt is 17.\n</think>\n17"]
        return {**row, "texts": rng.choice(_ODD_TALKS) if odd else texts}
    return row


def write(file: Path, rows: list[Given], shape: str, rng: random.Random) -> dict[int, Given | None]:
    """Writes them as the file's ending says; gives each row's place there, and None at those of no row."""
    kind = next(one for one in (".jsonl", ".json", ".csv", ".parquet") if one in file.name)
    if kind == ".parquet":
        _parquet(file, rows, shape, rng)
        return dict(enumerate(rows, start=1))
    data, places = {".jsonl": _lines, ".json": _array, ".csv": _csv}[kind](rows, shape, rng)
    packed = {".gz": gzip.compress, ".zst": zstandard.ZstdCompressor().compress}.get(file.suffix)
    file.write_bytes(packed(data) if packed else data)
    return places


_BROKEN_SHARE = 0.03
_BROKEN = (
    b"{",
    b"[1, 2]",
    b"7",
    b"null",
    b'"text"',
    b"<html>",
    b'{"n": 1, "n": 2}',
    b'{"question": "a" "b"}',
    b"{'question': 'a'}",
    b'{"question": "a",}',
    b'{"question": "\xff\xfe"}',
    b'{"question": "\xed\xa0\x80"}',
    b'{"question": "' + "ü".encode("latin-1") + b'"}',
    b'{"question": 01}',
    b'{"question": "a\tb"}',
    b"\x00\x00",
    b'{"n": 1e999}',
    b'{"question": ' + b"[" * 3000 + b"]" * 3000 + b"}",
    b'{"question": ' + b"9" * 6000 + b"}",
)


def _json(given: Given, shape: str, rng: random.Random) -> bytes:
    style = rng.choice(({}, {"ensure_ascii": False}, {"separators": (",", ":")}))
    text = json.dumps(shaped(given, shape, rng), **style)
    return text.encode(errors="surrogatepass")


def _lines(rows: list[Given], shape: str, rng: random.Random) -> tuple[bytes, dict[int, Given | None]]:
    lines: list[bytes] = []
    places: dict[int, Given | None] = {}
    for given in rows:
        if rng.random() < _BROKEN_SHARE:
            lines.append(rng.choice(_BROKEN))
            places[len(lines)] = None
        if rng.random() < _BROKEN_SHARE:
            lines.append(rng.choice((b"", b"  ", b"\t")))
        lines.append(_json(given, shape, rng))
        places[len(lines)] = given
    return rng.choice((b"\n", b"\r\n")).join(lines), places


def _array(rows: list[Given], shape: str, rng: random.Random) -> tuple[bytes, dict[int, Given | None]]:
    items: list[bytes] = []
    places: dict[int, Given | None] = {}
    for given in rows:
        if rng.random() < _BROKEN_SHARE:
            items.append(
                rng.choice((b"7", b"null", b'"text"', b"[1, 2]", b'{"n": 1, "n": 2}', b'{"n": 1e999}'))
            )
            places[len(items)] = None
        items.append(_json(given, shape, rng))
        places[len(items)] = given
    return b"[" + b",\n".join(items) + b"]\n", places


def _csv(rows: list[Given], shape: str, rng: random.Random) -> tuple[bytes, dict[int, Given | None]]:
    """A record's place is the number of its last line."""
    table = [shaped(given, shape, rng) for given in rows]
    names = sorted({name for row in table for name in row})
    end = rng.choice(("\n", "\r\n"))
    places: dict[int, Given | None] = {}
    line = 0
    parts: list[bytes] = []

    def put(record: bytes, given: Given | None) -> None:
        nonlocal line
        parts.append(record)
        line += len(_LINE_END.findall(record))
        places[line] = given

    put(_record(names, end), None)
    places.clear()
    for given, row in zip(rows, table, strict=True):
        put(_record([_cell(row.get(name)) for name in names], end), given)
        if rng.random() < _BROKEN_SHARE:
            put(
                rng.choice((b"a,b\n", b'"a"b,c\n', b"\xff" + b"," * (len(names) - 1) + b"\n", b"a\0b,\n")),
                None,
            )
    return b"".join(parts), places


_LINE_END = re.compile(rb"\r\n|\r|\n")


def _record(cells: list[str], end: str) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerow(cells)
    return out.getvalue().encode(errors="surrogatepass")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _parquet(file: Path, rows: list[Given], shape: str, rng: random.Random) -> None:
    table = [shaped(given, shape, rng) for given in rows]
    names = sorted({name for row in table for name in row})
    bad = {n for n, given in enumerate(rows) if given.spoilt and rng.random() < 0.03}
    columns = {name: _column(name, [row.get(name) for row in table]) for name in names}
    said = [
        b"\xff\xfe" if n in bad else text.encode()
        for n, text in enumerate(columns["domain"].fill_null("").to_pylist())
    ]
    columns["domain"] = pa.array(said).cast(pa.string(), safe=False)
    pq.write_table(pa.table(columns), file, row_group_size=rng.choice((7, 1000)))


def _column(name: str, values: list[Any]) -> pa.Array:
    """Of one type, as a parquet has it; what is of another is a text, or nothing."""
    if name in ("n", "completion_tokens"):
        return pa.array([v if type(v) is int and abs(v) < 2**60 else None for v in values], pa.int64())
    if name == "messages":
        turn = pa.struct({"role": pa.string(), "content": pa.string()})
        return pa.array([_turns(value) for value in values], pa.list_(turn))
    if name == "texts":
        lists = [[_whole(one) for one in v] if isinstance(v, list) else None for v in values]
        return pa.array(lists, pa.list_(pa.string()))
    return pa.array([_whole(value) for value in values], pa.string())


def _turns(value: Any) -> list[dict[str, str | None] | None] | None:
    if not isinstance(value, list):
        return None
    turns = [one if isinstance(one, dict) else {} for one in value]
    return [{name: _whole(one.get(name)) for name in ("role", "content")} for one in turns]


def _whole(value: Any) -> str | None:
    return None if value is None else _cell(value).encode(errors="replace").decode()
