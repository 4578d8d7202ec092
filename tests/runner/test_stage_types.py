"""What the type check says of a stage that is called as none is."""

import re
import subprocess
import sys
from pathlib import Path

from distillery.runner import execute

CALLS = [
    ("stage.sketch(table.clone(), ctx)", "stage.sketch(ctx, table.clone())", "reportArgumentType"),
    ("stage.apply(table, ctx)", "stage.apply(ctx, table)", "reportArgumentType"),
    ("stage.decide(together, ctx)", "stage.judge(together, ctx)", "reportAttributeAccessIssue"),
    ("stage.train(job)", "stage.trains(job)", "reportAttributeAccessIssue"),
    ("stage.export(job)", "stage.export(ctx)", "reportArgumentType"),
]


def test_a_stage_called_with_its_arguments_exchanged_or_by_a_misspelt_name_fails_the_check(tmp_path: Path):
    code = Path(execute.__file__).read_text()
    for call, wrong, _ in CALLS:
        assert call in code
        code = code.replace(call, wrong)
    (tmp_path / "execute.py").write_text(code)
    command = [Path(sys.executable).with_name("basedpyright"), "--pythonpath", sys.executable, tmp_path]
    said = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False).stdout
    found = [
        re.findall(rf"execute\.py:{_line(code, wrong)}:.*?\((report\w+)\)", said, re.S)
        for *_, wrong, _ in CALLS
    ]
    assert [kinds[:1] for kinds in found] == [[kind] for *_, kind in CALLS]


def _line(code: str, text: str) -> int:
    return code[: code.index(text)].count("\n") + 1
