from pathlib import Path

import pytest

from distillery.errors import ConfigError
from distillery.prompts import load_prompt, load_template, lock

ROOT = Path(__file__).parents[1] / "prompts"
PUBLISHED = sorted(file.stem.replace(".v", "@") for file in ROOT.glob("*.md"))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "ask.v1.md").write_text("A remark.\n\n## system\nBe brief.\n## user\nQ: {{ question }}\n")
    return tmp_path


def test_turns_and_slots_are_read_and_the_remark_is_not(root):
    prompt = load_prompt("ask@1", root)
    assert prompt.turns == (("system", "Be brief."), ("user", "Q: {{ question }}"))
    assert prompt.slots == {"question"}


def test_a_value_is_put_in_as_it_is(root):
    messages = load_prompt("ask@1", root).render(question="{{ question }} ## user \\1")
    assert messages[1] == ("user", "Q: {{ question }} ## user \\1")


def test_other_values_than_the_slots_are_refused(root):
    with pytest.raises(ConfigError, match=r"has slots \['question'\], was given \['gold'\]"):
        load_prompt("ask@1", root).render(gold="1")


def test_a_remark_changes_no_digest_but_a_turn_does(root):
    before = load_prompt("ask@1", root).digest
    (root / "ask.v1.md").write_text("## system\nBe brief.\n## user\nQ: {{ question }}\n")
    assert load_prompt("ask@1", root).digest == before
    (root / "ask.v1.md").write_text("## system\nBe brief!\n## user\nQ: {{ question }}\n")
    assert load_prompt("ask@1", root).digest != before


@pytest.mark.parametrize("name", ["ask@2", "tell@1"])
def test_an_unknown_prompt_is_answered_with_the_known_ones(root, name):
    with pytest.raises(ConfigError, match="known prompts: ask@1"):
        load_prompt(name, root)


@pytest.mark.parametrize("name", ["ask", "ask@", "../ask@1", "ask@1.md", ""])
def test_a_name_without_a_version_is_refused(root, name):
    with pytest.raises(ConfigError, match="write it like"):
        load_prompt(name, root)


@pytest.mark.parametrize("text", ["", "no turns\n", "## user\nhi\n## assistant\nhello\n"])
def test_a_prompt_that_asks_nothing_is_refused(root, text):
    (root / "odd.v1.md").write_text(text)
    with pytest.raises(ConfigError, match="must end with a turn"):
        load_prompt("odd@1", root)


def test_lock_publishes_what_is_new_and_only_once(root):
    assert lock(root) == ["ask.v1.md"]
    (root / "tell.v1.md").write_text("## user\nhi\n")
    assert lock(root) == ["tell.v1.md"]
    assert lock(root) == []
    assert [line.split("  ")[1] for line in (root / "LOCK").read_text().splitlines()] == [
        "ask.v1.md",
        "tell.v1.md",
    ]


def test_a_published_prompt_that_was_changed_is_refused_by_load_and_by_lock(root):
    lock(root)
    (root / "ask.v1.md").write_text("## user\nother\n")
    with pytest.raises(ConfigError, match="changed after it was published"):
        load_prompt("ask@1", root)
    with pytest.raises(ConfigError, match="changed after it was published"):
        lock(root)


def test_a_published_prompt_that_is_gone_is_refused_by_lock(root):
    lock(root)
    (root / "ask.v1.md").unlink()
    with pytest.raises(ConfigError, match="published in LOCK and gone"):
        lock(root)


def test_the_first_folder_that_has_a_prompt_gives_it(root, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "ask.v1.md").write_text("## user\nmine\n")
    (root / "tell.v1.md").write_text("## user\nhi\n")
    assert load_prompt("ask@1", own, root).turns == (("user", "mine"),)
    assert load_prompt("tell@1", own, root).turns == (("user", "hi"),)


def test_a_published_prompt_that_is_gone_is_not_taken_from_the_next_folder(root, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    (own / "ask.v1.md").write_text("## user\nmine\n")
    lock(own)
    (own / "ask.v1.md").unlink()
    with pytest.raises(ConfigError, match="published in LOCK and gone"):
        load_prompt("ask@1", own, root)


def test_a_template_comes_from_the_first_folder_that_has_it(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "plain.jinja").write_text("mine")
    assert load_template("plain.jinja", tmp_path, ROOT) == "mine"
    assert load_template("r1-zero.jinja", tmp_path, ROOT).startswith("{")
    with pytest.raises(ConfigError, match=r"no file other.jinja in .*; there are plain.jinja$"):
        load_template("other.jinja", tmp_path)


def test_a_torn_lock_is_refused(root):
    (root / "LOCK").write_text("half a line\n")
    with pytest.raises(ConfigError, match="restore it"):
        load_prompt("ask@1", root)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_prompt_of_the_house_is_published_and_reads(name):
    prompt = load_prompt(name, ROOT)
    assert prompt.turns[-1][0] == "user"
    assert f"{name.replace('@', '.v')}.md" in (ROOT / "LOCK").read_text()


def test_the_small_judge_sees_three_lines():
    messages = load_prompt("judge.small@1", ROOT).render(question="1 + 1 .", reference="2", answer="two")
    assert messages == (("user", "Question: 1 + 1 .\nAnswer: two\nReference: 2"),)
