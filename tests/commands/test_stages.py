from __future__ import annotations

import json

from distillery.cli import main


def test_stages_lists_what_there_is(capsys):
    assert main(["stages"]) == 0
    assert "  filter.quality          Drops a row for its first fault" in capsys.readouterr().out


def test_stages_with_a_name_says_all_about_one_with_its_brackets(capsys):
    assert main(["stages", "mix.quota"]) == 0
    out = capsys.readouterr().out
    assert "  quotas[].share: number or null; default null\n" in out
    assert "from: [reasoning, general]" in out


def test_an_unknown_name_is_something_the_user_can_fix(capsys):
    assert main(["stages", "filter.qality"]) == 2
    assert "did you mean 'filter.quality'?" in capsys.readouterr().err


def test_schema_prints_json(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "A pipeline of distillery"
