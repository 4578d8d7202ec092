from __future__ import annotations

import pytest
import yaml

from distillery.engines import KINDS, open_engine
from distillery.errors import ConfigError
from distillery.reference.entries import entry, example_stage, names
from distillery.reference.schema import FREE
from distillery.stages import STAGES, stage_class
from distillery.stages.base import RowStage


@pytest.mark.parametrize("name", names())
def test_every_option_at_every_depth_says_what_it_does(name):
    silent = [option.name for option in entry(name).options if not option.about.removesuffix(FREE).strip()]
    assert not silent


@pytest.mark.parametrize("name", names())
def test_every_value_of_a_closed_set_and_every_reason_says_what_it_means(name):
    found = entry(name)
    silent = [
        f"{option.name}: {value}" for option in found.options for value, about in option.choices if not about
    ]
    assert not silent + [reason for reason, about in found.reasons.items() if not about]


@pytest.mark.parametrize("name", names())
def test_everything_says_in_words_what_it_is(name):
    assert 10 < len(entry(name).summary) < 240


@pytest.mark.parametrize("use", STAGES)
def test_the_example_of_a_stage_can_be_built(use):
    assert f"use: {use}" in entry(use).example
    assert isinstance(example_stage(use), stage_class(use))


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_an_engine_can_be_opened(kind):
    (engine,) = yaml.safe_load(entry(kind).example)["engines"].values()
    assert open_engine(engine.pop("kind"), engine)
    assert f"kind: {kind}" in entry(kind).example


@pytest.mark.parametrize("use", [use for use in STAGES if issubclass(stage_class(use), RowStage)])
def test_a_stage_that_may_drop_rows_has_its_reasons(use):
    assert bool(stage_class(use).reasons) == stage_class(use).may_drop


def test_columns_have_their_types_in_plain_words():
    assert entry("export.chat").columns == {
        "reads": "trace_id (text), question (text), text (text)",
        "reads where they are there": "thinking (text), payload (text), prompt_tokens (whole number), "
        "completion_tokens (whole number)",
        "writes": "messages (list of {role: text, content: text}), num_tokens (whole number)",
        "names a row by": "trace_id",
    }


def test_a_stage_in_a_file_of_ones_own_is_looked_up_by_its_dotted_name(tmp_path, monkeypatch):
    (tmp_path / "garden_stages.py").write_text(
        "from dataclasses import dataclass\n"
        "from distillery import Output, ShardStage\n"
        "@dataclass(frozen=True)\n"
        "class Weed(ShardStage):\n"
        '    """Takes weeds out."""\n'
        "    most: int = 3\n"
        '    """Weeds that may stay."""\n'
        "    version = 1\n"
        "    reads = ('question',)\n"
        "    def apply(self, table, ctx):\n"
        "        return Output.all_kept(table)\n"
    )
    monkeypatch.chdir(tmp_path)
    found = entry("garden_stages:Weed")
    assert found.about == "Takes weeds out."
    assert [(option.name, option.about) for option in found.options] == [("most", "Weeds that may stay.")]
    assert found.columns["reads"] == "question (text)"


def test_an_unknown_name_gets_the_nearest_known_one():
    with pytest.raises(ConfigError, match=r"called 'filter\.qality'; did you mean 'filter\.quality'\?"):
        entry("filter.qality")
