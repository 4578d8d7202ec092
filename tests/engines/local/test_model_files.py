import pytest

from distillery.engines.local import model_files
from distillery.engines.local.model_files import model_name
from distillery.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"0" * 5000)
    return tmp_path


def test_a_hub_id_goes_by_its_revision():
    assert model_name("org/model", "abc") == "org/model@abc"
    assert model_name("org/model", "") == "org/model"


def test_a_folder_goes_by_its_content_wherever_it_lies(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp("elsewhere")
    for file in folder.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    (other / "trainer_state.json").write_text("{}")
    assert model_name(str(folder), "") == model_name(str(other), "")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "chat_template.jinja"])
def test_a_change_in_any_file_that_counts_is_another_model(folder, name):
    before = model_name(str(folder), "")
    (folder / name).write_bytes(b"1" * 5000)
    assert model_name(str(folder), "") != before


def test_large_weights_are_sampled_to_their_last_block(folder, monkeypatch):
    monkeypatch.setattr(model_files, "_WHOLE", 4000)
    monkeypatch.setattr(model_files, "_BLOCK", 100)
    before = model_name(str(folder), "")
    (folder / "model.safetensors").write_bytes(b"0" * 4999 + b"1")
    assert model_name(str(folder), "") != before


@pytest.mark.parametrize("name", ["./nowhere", "/no/where", "nowhere/", "data/models/none"])
def test_a_folder_that_is_not_there_is_no_hub_id(name):
    with pytest.raises(ConfigError, match="no such folder"):
        model_name(name, "")


def test_a_folder_without_a_config_is_no_model(tmp_path):
    with pytest.raises(ConfigError, match=r"has no config\.json"):
        model_name(str(tmp_path), "")
