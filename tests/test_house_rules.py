"""The rules of the house that no linter knows."""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

from distillery.pipeline import Kind, load_plan
from distillery.stages import STAGES, stage_class
from distillery.verify import CHECKERS, Checker, get_checker

ROOT = Path(__file__).parents[1]
MODULES = sorted((ROOT / "distillery").rglob("*.py"))
PIPELINES = sorted(p for p in (ROOT / "pipelines").rglob("*.yaml") if "stages:" in p.read_text())
HEAVY = {
    "datasets",
    "datasketch",
    "numpy",
    "openai",
    "polars",
    "pydantic",
    "rich",
    "torch",
    "transformers",
    "trl",
    "vllm",
    "yaml",
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_a_module_fits_in_the_head(module):
    text = module.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines; 60 is the most"


@pytest.mark.parametrize("module", MODULES, ids=name)
def test_no_module_has_a_name_without_meaning(module):
    assert not {"utils", "helpers", "common", "core", "misc", "scripts"} & {*module.parts, module.stem}


@pytest.mark.parametrize("file", PIPELINES, ids=name)
def test_every_pipeline_resolves(file, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert load_plan(file).steps


@pytest.mark.parametrize("use", sorted(STAGES))
def test_every_stage_says_what_it_is(use):
    stage = stage_class(use)
    assert stage.__doc__, "needs a docstring"
    assert not stage.__doc__.startswith(f"{stage.__name__}("), "the generated one does not count"
    assert isinstance(stage.version, int)
    assert stage.kind in Kind


@pytest.mark.parametrize("use", sorted(STAGES))
def test_a_stage_lies_where_its_name_says(use):
    folder, _, file = use.partition(".")
    module = STAGES[use].partition(":")[0].removeprefix("distillery.stages.")
    assert module in (f"{folder}.{file}", f"{folder}_{file}")


def test_no_folder_of_the_package_is_full():
    for folder in {module.parent for module in MODULES}:
        assert len(list(folder.glob("*.py"))) <= 16, folder


@pytest.mark.parametrize("checker", sorted(CHECKERS))
def test_every_checker_is_there(checker):
    assert isinstance(get_checker(checker), Checker)


def test_published_prompts_do_not_change():
    locked = dict(reversed(line.split("  ")) for line in (ROOT / "prompts/LOCK").read_text().splitlines())
    actual = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in (ROOT / "prompts").glob("*.md")}
    assert actual == locked, "a changed prompt needs a new version; a new one needs `distillery prompts lock`"


def test_help_imports_nothing_heavy():
    probe = "import sys, distillery.cli; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_the_readme_fits_in_250_lines():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 250


DOCS = [ROOT / "README.md", *sorted(file for file in (ROOT / "docs").glob("*.md") if file.name != "LOG.md")]
PATH = re.compile(
    r"(?<![\w/.-])(?:(?:[\w-]+/)*(?:[\w-]+/(?![\w*<{#])|\w+\.py\b)|(?:[\w-]+/)+[\w-]+\.(?:yaml|jsonl|md)\b)"
)
OF_A_RUN = {"data/runs/", "data/store/", "data/store/requests/", "model/", "out/", "runs/"}
OF_THE_READER = re.compile(
    r"(\w+/)*my_\w+\.py|distillery[./](verify[./]dates|stages[./]filter_length)(\.py)?"
)


@pytest.mark.parametrize("file", DOCS, ids=name)
def test_every_path_that_the_docs_name_is_there(file):
    """Below the repository, below the package, or beside or in what the text named before it."""
    last, absent = ROOT, []
    for path in PATH.findall(file.read_text()):
        if path in OF_A_RUN or OF_THE_READER.fullmatch(path):
            continue
        found = [
            base / path for base in (ROOT, ROOT / "distillery", last, last.parent) if (base / path).exists()
        ]
        absent += [] if found else [path]
        last = found[0] if found else last
    assert not absent


@pytest.mark.parametrize("file", DOCS, ids=name)
def test_every_module_that_the_docs_name_is_there(file):
    for dotted in re.findall(r"(?<![\w./])distillery(?:\.[A-Za-z_]\w*)+", file.read_text()):
        if not OF_THE_READER.fullmatch(dotted):
            assert resolve_name(dotted)


@pytest.mark.parametrize("file", [ROOT / "README.md", ROOT / "docs/design.md"], ids=name)
def test_no_part_of_the_package_is_left_out(file):
    parts = {path.stem for path in (ROOT / "distillery").glob("[a-z]*") if path.suffix in ("", ".py")}
    assert not parts - set(re.findall(r"\w+", file.read_text()))
