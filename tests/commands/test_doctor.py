import sys

from distillery.cli import main


def test_a_missing_extra_is_named_whole(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "reasoning_gym", None)
    assert main(["doctor"]) == 0
    assert "pip install 'distillery[puzzles]'" in " ".join(capsys.readouterr().out.split())
