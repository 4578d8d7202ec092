import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.installed.dotted import load, source_digest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def loaded(name: str) -> object:
    return load(name, where="stages.x", what="it would be a shape")


def test_a_module_of_the_working_directory_is_found(folder: Path):
    (folder / "shapes.py").write_text("round = 3")
    assert loaded("shapes:round") == 3


def test_it_is_found_in_the_directory_of_now_also_where_the_path_was_put_back_meanwhile(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    paths: list[list[str]] = []
    for value in (1, 2, 3):
        here = folder / str(value)
        here.mkdir()
        monkeypatch.chdir(here)
        (here / "shapes.py").write_text(f"round = {value}")
        for path in [*paths, list(sys.path)]:
            sys.path[:] = path
            assert loaded("shapes:round") == value
            paths.append(list(sys.path))


def test_what_is_installed_is_not_shadowed_by_it(folder: Path):
    (folder / "fractions.py").write_text("Fraction = 3")
    assert loaded("fractions:Fraction") != 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import numpyx", "{file}:1: ModuleNotFoundError: No module named 'numpyx'"),
        ("\n\nround = 1 / 0", "{file}:3: ZeroDivisionError: division by zero"),
        ("round = (", "{file}:1: '(' was never closed"),
        ("class Odd(Exception): ...\nraise Odd('a\\nb')", "{file}:2: Odd: a b"),
        ("class Odd(BaseException): ...\nraise Odd", "{file}:2: Odd: "),
        ("raise SystemExit(3)", "{file}:1: SystemExit: 3"),
        ("raise StopIteration", "{file}:1: StopIteration: "),
        ("import polars\nraise polars.exceptions.ComputeError('no')", "{file}:2: ComputeError: no"),
    ],
)
def test_a_module_that_cannot_be_imported_is_said_in_one_line(folder: Path, text: str, said: str):
    file = folder / "shapes.py"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        loaded("shapes:round")
    told = said.format(file=file)
    assert str(refused.value) == f"stages.x 'shapes:round': shapes cannot be imported: {told}"


def test_a_name_that_leads_nowhere_says_what_it_would_be(folder: Path):
    (folder / "shapes.py").touch()
    for name, said in {
        "shapes": "is no module:name",
        "forms:round": f"there is no module forms (looked in {folder} and Python's path)",
        "shapes.all:round": "there is no module shapes.all",
        "shapes:round": f"there is no round in {folder / 'shapes.py'}",
    }.items():
        with pytest.raises(ConfigError) as refused:
            loaded(name)
        assert str(refused.value).startswith(f"stages.x {name!r}: {said}")
        assert str(refused.value).endswith("; it would be a shape")


def test_the_source_is_known_without_being_run(folder: Path):
    (folder / "shapes.py").write_text("raise SystemExit")
    first = source_digest("shapes:round")
    assert len(first) == 64
    (folder / "shapes.py").write_text("raise SystemExit(1)")
    assert source_digest("shapes:round") != first


def test_a_package_is_imported_again_whichever_of_its_files_was_edited(folder: Path):
    package = folder / "forms"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "shapes.py").write_text("from forms import sizes\nround = sizes.small")
    for value in (1, 2):
        (package / "sizes.py").write_text(f"small = {value}  {'#' * value}")
        assert loaded("forms.shapes:round") == value


def test_all_files_of_a_package_are_its_source(folder: Path):
    (folder / "forms" / "flat").mkdir(parents=True)
    for name in ("__init__.py", "flat/__init__.py", "flat/round.py"):
        (folder / "forms" / name).touch()
    first = source_digest("forms.flat:round")
    (folder / "forms" / "readme.txt").touch()
    assert source_digest("forms.flat:round") == first
    (folder / "forms" / "flat" / "round.py").write_text("round = 3")
    assert source_digest("forms.flat:round") != first


def test_what_has_no_source_is_refused():
    with pytest.raises(ConfigError, match="code 'sys:path': sys has no source file"):
        source_digest("sys:path")
