"""`distillery mock-server`: an OpenAI-compatible server that plays a model, for dry runs and benchmarks."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from dataclasses import fields
from typing import Any

from distillery.config import build
from distillery.engines.mock.replies import MockOptions
from distillery.engines.mock.server import Service, serve
from distillery.engines.openai.http_client import allow_many_connections
from distillery.installed.word_lists import word_lists


def main(arguments: argparse.Namespace) -> int:
    """Prints its URL, serves until SIGINT or SIGTERM, and prints its statistics as a line of JSON."""
    given = vars(_parser().parse_args(arguments.options))
    options = build(MockOptions, given, where="mock-server")
    allow_many_connections()
    _print(json.dumps(asyncio.run(_serve(options))))
    return 0


def _parser() -> argparse.ArgumentParser:
    """A flag for each option; the options' class checks them and has the defaults."""
    parser = argparse.ArgumentParser("distillery mock-server", argument_default=argparse.SUPPRESS)
    about = word_lists(__file__)
    for option in fields(MockOptions):
        flag = f"--{option.name.replace('_', '-')}"
        if option.default is False:
            parser.add_argument(flag, action="store_true", help=about[option.name])
        else:
            parser.add_argument(flag, help=f"{about[option.name]} (default: {option.default})".strip())
    return parser


async def _serve(options: MockOptions) -> dict[str, Any]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    service = Service(options)
    await serve(service, stop=stop, ready=_print)
    return service.stats()


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # who reads the URL from a pipe waits for it
