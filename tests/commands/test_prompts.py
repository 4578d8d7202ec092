import pytest

from distillery.cli import main

OURS = "## user\nMine: {{ question }}\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_empty_folder_has_the_programs_prompts(capsys):
    assert main(["prompts"]) == 0
    assert "solve.boxed@1 " in capsys.readouterr().out


def test_a_folders_own_prompts_are_listed_beside_them_and_locked(here, capsys):
    (here / "prompts").mkdir()
    (here / "prompts" / "mine.v1.md").write_text(OURS)
    assert main(["prompts"]) == 0
    shown = capsys.readouterr().out
    assert "mine@1 " in shown
    assert "solve.boxed@1 " in shown
    assert main(["prompts", "lock"]) == 0
    assert (here / "prompts" / "LOCK").read_text().endswith("  mine.v1.md\n")


def test_nothing_of_the_program_is_locked_from_elsewhere(capsys):
    assert main(["prompts", "lock"]) == 2
    assert "no folder prompts" in capsys.readouterr().err
