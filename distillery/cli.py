"""`distillery`: the commands. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from distillery.errors import ContractError, DistilleryError
from distillery.installed.shipped import find
from distillery.installed.version import VERSION

INTERRUPTED = 130
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]


def main(argv: list[str] | None = None) -> int:
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if arguments.module == "mock_server":  # which has its options from what only it imports
        arguments.options = rest
    elif rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return import_module(f"distillery.commands.{arguments.module}").main(arguments)
    except DistilleryError as error:
        ours = "this is a bug of ours: " if isinstance(error, ContractError) else ""
        print(f"distillery: {ours}{error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        said = "interrupted; what was finished is saved, the same command continues"
        print(f"distillery: {said}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away, as `| head` does
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="distillery",
        description="A factory that turns problems into verified reasoning data, and data into models.",
        epilog="exit codes: 0 done, 1 failed, 2 you can fix it, 3 our bug, 4 the disk disagrees,"
        " 5 an engine is unusable, 6 a budget is used up, 130 interrupted and saved",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_init(commands)
    _add_pipelines(commands)
    _add_runs(commands)
    _add_files(commands)
    _add_reference(commands)
    _add(commands, "doctor", "what this machine can run: GPU, engines, sandbox, versions, disk")
    prompts = _add(commands, "prompts", "list the prompts; `prompts lock` takes new ones into prompts/LOCK")
    prompts.add_argument("action", nargs="?", choices=("list", "lock"), default="list")
    playing = "an OpenAI-compatible server that plays a model, its latencies and its faults"
    _add(commands, "mock-server", playing, add_help=False)
    return parser


def _add(commands: Commands, name: str, about: str, **more: Any) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, **more)
    parser.set_defaults(module=name.replace("-", "_"))
    return parser


def _add_init(commands: Commands) -> None:
    init = _add(commands, "init", "write a starter pipeline for rows that you have")
    init.add_argument("sources", nargs="+", metavar="FILE|DATASET", help="rows: a file, or as on the hub")
    init.add_argument("-o", "--output", type=Path, help="the pipeline (default: after the first source)")
    init.add_argument("--config", help="of the data set")
    init.add_argument("--split", default="train", help="of the data set (default: train)")
    _add_dialect(init)
    init.add_argument("--base-url", default="", help="an OpenAI-compatible endpoint to sample from")
    init.add_argument("--model", default="", help="as the endpoint calls it")
    init.add_argument("--api-key-env", default="", metavar="NAME", help="environment variable with its key")


def _add_pipelines(commands: Commands) -> None:
    run = _add(commands, "run", "run a pipeline; run it again to continue")
    costs = "resolve and check a pipeline, and say what it will cost; runs nothing"
    for parser in (run, _add(commands, "plan", costs)):
        ours = "a YAML file, or one of ours: pipelines/quickstart.yaml"
        parser.add_argument("pipeline", type=find, help=ours)
        _add_settings(parser, "stages.ID.option=v")
        parser.add_argument(
            "--until", action="append", default=[], metavar="ID", help="stop after this stage"
        )
        parser.add_argument("--limit", type=_positive, metavar="N", help="take N rows from each source")
        _add_data(parser)
    run.add_argument("--executor", choices=("local", "ray"), default="local")
    run.add_argument("--jobs", type=_positive, metavar="N", help="steps side by side (default: the file's)")
    run.add_argument("--dry-run", action="store_true", help="as `plan`")


def _add_runs(commands: Commands) -> None:
    status = _add(commands, "status", "where a run stands; without RUN: all runs, and what the store holds")
    status.add_argument("run", nargs="?", help="PIPELINE or PIPELINE/NUMBER")
    report = _add(commands, "report", "write report.html; with several runs, their averages")
    report.add_argument("runs", nargs="+", metavar="RUN")
    printed = "print the table as markdown and write nothing"
    report.add_argument("--markdown", action="store_true", help=printed)
    show = _add(commands, "show", "print rows that a stage made")
    show.add_argument("run")
    show.add_argument("stage")
    show.add_argument("--rows", type=_positive, default=3)
    show.add_argument("--where", default="", metavar="COLUMN=VALUE", help="only rows with this value")
    show.add_argument("--columns", default="", help="comma-separated")
    why = _add(commands, "why", "why a row left the line; without KEY: the reasons, stage by stage")
    why.add_argument("run")
    why.add_argument("key", nargs="?", help="a problem_id or a trace_id, or the start of one")
    same = "whether every file of a run is, byte for byte, what its manifest says"
    verify = _add(commands, "verify-run", same)
    verify.add_argument("run", help="PIPELINE, PIPELINE/NUMBER, or the run's folder")
    unneeded = "what no run refers to: says what would go, and removes it with --delete"
    letting_go = "To let go of a run, delete its folder under data/runs, then collect."
    gc = _add(commands, "gc", unneeded, epilog=letting_go)
    gc.add_argument("--delete", action="store_true", help="remove it")
    gc.add_argument("--keep-completions", action="store_true", help="leave the request store as it is")
    for parser in (status, report, show, why, verify, gc):
        _add_data(parser)


def _add_files(commands: Commands) -> None:
    apply = _add(commands, "apply", "any table stage on a file: jsonl, json, csv, tsv or parquet")
    apply.add_argument("stage", help="such as verify.answers")
    apply.add_argument("input", help="a file, a folder or a pattern, as of ingest.file")
    written = "no csv; what is dropped goes to NAME.dropped.ENDING"
    apply.add_argument("-o", "--output", type=Path, required=True, help=written)
    _add_settings(apply, "option=v")
    apply.add_argument("--seed", type=int, default=0)
    _add_dialect(apply)
    lint = _add(commands, "lint-sft", "what a student would really be trained on, token by token")
    lint.add_argument("--model", required=True, help="a model folder or hub id")
    rows = "a file, a folder or a pattern; rows with messages, or question and text"
    lint.add_argument("--data", type=Path, required=True, help=rows)
    _add_dialect(lint)
    template = "a file in prompts/templates/ instead of the model's own"
    lint.add_argument("--chat-template", default="", help=template)
    lint.add_argument("--eos-token", default="", help="as train.sft would set it")
    lint.add_argument("--pad-token", default="", help="as train.sft would set it")
    lint.add_argument("--max-length", type=_positive, default=32_768)
    lint.add_argument("--rows", type=int, default=2, help="rows to print token by token")


def _add_reference(commands: Commands) -> None:
    stages = _add(commands, "stages", "all stages, engines, checkers and rewards; with NAME: all about one")
    stages.add_argument("name", nargs="?", metavar="NAME", help="such as filter.quality")
    stages.add_argument("--markdown", action="store_true", help="all about all of them, as docs/reference.md")
    stages.set_defaults(of="")
    schema = _add(commands, "schema", "the JSON Schema of pipeline files, for an editor")
    schema.add_argument("of", nargs="?", choices=("pipeline", "prices"), default="pipeline")
    schema.set_defaults(module="stages")


def _add_settings(parser: argparse.ArgumentParser, form: str) -> None:
    parser.add_argument("--set", action="append", default=[], metavar=form, dest="settings")


def _add_dialect(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--delimiter", default="", help="of a csv or tsv, where its header does not tell")
    parser.add_argument("--encoding", default="", help="of text that is not UTF-8, as cp1252 or gb18030")


def _add_data(parser: argparse.ArgumentParser) -> None:
    about = "holds store/ and runs/ (default: data)"
    parser.add_argument("--data-dir", type=Path, default=Path("data"), help=about)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number
