from pathlib import Path

import pytest

from distillery.installed.shipped import ROOT, find


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["data/seeds/general.jsonl", "pipelines/accelerate/zero3.yaml", "prompts/templates/plain.jinja"]
)
def test_what_is_not_here_is_taken_from_the_program(name):
    assert find(name) == ROOT / name
    assert find(name).is_file()


def test_what_is_here_goes_first(here):
    (here / "pipelines").mkdir()
    (here / "pipelines" / "quickstart.yaml").touch()
    assert find("pipelines/quickstart.yaml") == Path("pipelines/quickstart.yaml")


@pytest.mark.parametrize("name", ["pyproject.toml", "prompts/../pyproject.toml", "data/runs/1", "/etc/none"])
def test_nothing_else_of_the_program_is_found(name):
    assert find(name) == Path(name)
