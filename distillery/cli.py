"""`distillery`: the commands. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from distillery.errors import ContractError, DistilleryError
from distillery.shipped import find
from distillery.version import VERSION

INTERRUPTED = 130
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # pyright: ignore[reportPrivateUsage]


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        command = import_module(f"distillery.commands.{arguments.module}")
        return command.main(arguments)
    except ContractError as error:
        print(f"distillery: this is a bug of ours: {error}", file=sys.stderr)
        return error.exit_code
    except DistilleryError as error:
        print(f"distillery: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(
            "distillery: interrupted; what was finished is saved, the same command continues", file=sys.stderr
        )
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
    _add_pipelines(commands)
    _add_runs(commands)
    _add_files(commands)
    _add_reference(commands)
    doctor = commands.add_parser(
        "doctor", help="what this machine can run: GPU, engines, sandbox, versions, disk"
    )
    doctor.set_defaults(module="doctor")
    prompts = commands.add_parser(
        "prompts", help="list the prompts; `prompts lock` takes new ones into prompts/LOCK"
    )
    prompts.add_argument("action", nargs="?", choices=("list", "lock"), default="list")
    prompts.set_defaults(module="prompts")
    _add_mock_server(commands)
    return parser


def _add_pipelines(commands: Commands) -> None:
    run = commands.add_parser("run", help="run a pipeline; run it again to continue")
    plan = commands.add_parser(
        "plan", help="resolve and check a pipeline, and say what it will cost; runs nothing"
    )
    for parser in (run, plan):
        parser.add_argument(
            "pipeline", type=find, help="a YAML file, or one of ours: pipelines/quickstart.yaml"
        )
        parser.add_argument(
            "--set", action="append", default=[], metavar="stages.ID.option=v", dest="settings"
        )
        parser.add_argument(
            "--until", action="append", default=[], metavar="ID", help="stop after this stage"
        )
        parser.add_argument("--limit", type=_positive, metavar="N", help="take N rows from each source")
        _add_data(parser)
    run.add_argument("--executor", choices=("local", "ray"), default="local")
    run.add_argument("--jobs", type=_positive, metavar="N", help="steps side by side (default: the file's)")
    run.add_argument("--dry-run", action="store_true", help="as `plan`")
    run.set_defaults(module="run")
    plan.set_defaults(module="plan")


def _add_runs(commands: Commands) -> None:
    status = commands.add_parser(
        "status", help="where a run stands; without RUN: all runs, and what the store holds"
    )
    status.add_argument("run", nargs="?", help="PIPELINE or PIPELINE/NUMBER")
    status.set_defaults(module="status")
    report = commands.add_parser("report", help="write report.html; with several runs, their averages")
    report.add_argument("runs", nargs="+", metavar="RUN")
    report.add_argument(
        "--markdown", action="store_true", help="print the table as markdown and write nothing"
    )
    report.set_defaults(module="report")
    show = commands.add_parser("show", help="print rows that a stage made")
    show.add_argument("run")
    show.add_argument("stage")
    show.add_argument("--rows", type=_positive, default=3)
    show.add_argument("--where", default="", metavar="COLUMN=VALUE", help="only rows with this value")
    show.add_argument("--columns", default="", help="comma-separated")
    show.set_defaults(module="show")
    why = commands.add_parser("why", help="why a row left the line; without KEY: the reasons, stage by stage")
    why.add_argument("run")
    why.add_argument("key", nargs="?", help="a problem_id or a trace_id, or the start of one")
    why.set_defaults(module="why")
    verify = commands.add_parser(
        "verify-run", help="whether every file of a run is, byte for byte, what its manifest says"
    )
    verify.add_argument("run", help="PIPELINE, PIPELINE/NUMBER, or the run's folder")
    verify.set_defaults(module="verify_run")
    gc = commands.add_parser(
        "gc",
        help="what no run refers to: says what would go, and removes it with --delete",
        epilog="To let go of a run, delete its folder under data/runs, then collect.",
    )
    gc.add_argument("--delete", action="store_true", help="remove it")
    gc.add_argument("--keep-completions", action="store_true", help="leave the request store as it is")
    gc.set_defaults(module="gc")
    for parser in (status, report, show, why, verify, gc):
        _add_data(parser)


def _add_files(commands: Commands) -> None:
    apply = commands.add_parser("apply", help="any table stage on a file: jsonl, jsonl.gz, parquet or csv")
    apply.add_argument("stage", help="such as verify.answers")
    apply.add_argument("input", type=Path)
    apply.add_argument(
        "-o", "--output", type=Path, required=True, help="no csv; what is dropped goes to NAME.dropped.ENDING"
    )
    apply.add_argument("--set", action="append", default=[], metavar="option=v", dest="settings")
    apply.add_argument("--seed", type=int, default=0)
    apply.set_defaults(module="apply")
    lint = commands.add_parser("lint-sft", help="what a student would really be trained on, token by token")
    lint.add_argument("--model", required=True, help="a model folder or hub id")
    lint.add_argument(
        "--data",
        type=Path,
        required=True,
        help="jsonl, jsonl.gz, parquet or csv with messages, or question and text",
    )
    lint.add_argument(
        "--chat-template", default="", help="a file in prompts/templates/ instead of the model's own"
    )
    lint.add_argument("--eos-token", default="", help="as train.sft would set it")
    lint.add_argument("--pad-token", default="", help="as train.sft would set it")
    lint.add_argument("--max-length", type=_positive, default=32_768)
    lint.add_argument("--rows", type=int, default=2, help="rows to print token by token")
    lint.set_defaults(module="lint_sft")


def _add_reference(commands: Commands) -> None:
    stages = commands.add_parser(
        "stages", help="all stages, engines, checkers and rewards; with NAME: all about one"
    )
    stages.add_argument("name", nargs="?", metavar="NAME", help="such as filter.quality")
    stages.add_argument("--markdown", action="store_true", help="all about all of them, as docs/reference.md")
    stages.set_defaults(module="stages")
    schema = commands.add_parser("schema", help="the JSON Schema of pipeline files, for an editor")
    schema.add_argument("of", nargs="?", choices=("pipeline", "prices"), default="pipeline")
    schema.set_defaults(module="schema")


# the fields of distillery.engines.mock.server.MockOptions, which checks them and has the defaults
_MOCK_FLAGS = {
    "host": "address to listen on (default: 127.0.0.1)",
    "port": "0 takes a free one; the first line printed is the URL (default: 0)",
    "model": "its name (default: mock)",
    "seed": "another seed, other answers, latencies and faults (default: 0)",
    "style": "how the thought comes: inline, reasoning_content, reasoning, prefilled, none (default: inline)",
    "words": "median length of a thought (default: 12)",
    "loop": "share of answers that repeat a phrase until max_tokens (default: 0.0)",
    "max-model-len": "a prompt of more words is a 400 (default: 32768)",
    "latency-s": "median seconds an answer takes (default: 0.0)",
    "latency-sigma": "of the latency's lognormal distribution (default: 0.0)",
    "slow-share": "share of answers that take slow-factor times as long (default: 0.0)",
    "slow-factor": "(default: 100.0)",
    "capacity": "answers in the making at once; the rest wait in a queue; 0: no limit (default: 0)",
    "rate-limit": "share of requests that get a 429 (default: 0.0)",
    "retry-after-s": "what the 429 asks for (default: 1)",
    "server-error": "share that gets a 500 (default: 0.0)",
    "disconnect": "share whose connection closes within the answer (default: 0.0)",
    "malformed": "share whose answer is no JSON (default: 0.0)",
    "empty": "share whose answer has no content (default: 0.0)",
    "truncated": "share cut at half its length, with finish_reason length (default: 0.0)",
    "refusal": "share with finish_reason content_filter (default: 0.0)",
    "hang": "share that never gets an answer (default: 0.0)",
    "first-errors": "each request first gets a 500 so many times (default: 0)",
    "sticky-errors": "faults come back on every attempt, not on the first one alone",
    "keep-keys": "count each request by its digest, for /mock/stats",
}


def _add_mock_server(commands: Commands) -> None:
    mock = commands.add_parser(
        "mock-server", help="an OpenAI-compatible server that plays a model, its latencies and its faults"
    )
    mock.set_defaults(module="mock_server")
    for flag, text in _MOCK_FLAGS.items():
        if "(default: " in text:
            mock.add_argument(f"--{flag}", default=argparse.SUPPRESS, help=text)
        else:
            mock.add_argument(f"--{flag}", default=argparse.SUPPRESS, help=text, action="store_true")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data-dir", type=Path, default=Path("data"), help="holds store/ and runs/ (default: data)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not at least 1")
    return number
