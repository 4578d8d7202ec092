"""Pushing, against a hub on the loopback that speaks the endpoints which the real client uses."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import polars as pl
import pytest

from distillery.errors import DistilleryError
from distillery.stages.export.hub_push import push

# the client itself uses a deprecated argument of its transport
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")


COMMIT = "1" * 40


class Hub(ThreadingHTTPServer):
    """Repositories in memory. `faults` are statuses that the next commits get instead of an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.created: list[dict[str, Any]] = []
        self.commits: list[dict[str, str]] = []  # path -> content or oid
        self.blobs: dict[str, bytes] = {}
        self.uploads = 0
        self.broken_uploads = 0  # the next ones that fail
        self.broken_downloads = 0  # the next ones that end in the middle
        self.faults: list[int] = []
        self.headers: dict[str, str] = {}

    def files(self) -> dict[str, bytes]:
        """What the last commit left there."""
        kept = {name: value for commit in self.commits for name, value in commit.items()}
        return {
            name: self.blobs[value] if value in self.blobs else base64.b64decode(value)
            for name, value in kept.items()
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None: ...

    def answer(self, value: Any, status: int = 200, **headers: str) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if "/resolve/" in path:
            return self.download(path.split("/resolve/", 1)[1].partition("/")[2])
        if "/tree/" in path:
            below = path.split("/tree/", 1)[1].partition("/")[2].rstrip("/")
            return self.answer(
                self.listing(f"{below}/" if below else "", "recursive=true" in self.path.lower())
            )
        if not path.startswith("/api/datasets/me/set"):
            return self.answer({"error": "not found"}, 404)
        siblings = [{"rfilename": name} for name in self.server.files()]
        return self.answer({"id": "me/set", "sha": COMMIT, "siblings": siblings, "private": True})

    def do_HEAD(self) -> None:
        self.do_GET()

    def listing(self, below: str, recursive: bool) -> list[dict[str, Any]]:
        inside = [name for name in self.server.files() if name.startswith(below)]
        steps = {name[: name.index("/", len(below))] for name in inside if "/" in name[len(below) :]}
        folders = [{"type": "directory", "path": step, "size": 0, "oid": "0" * 40} for step in sorted(steps)]
        own = [name for name in inside if recursive or "/" not in name[len(below) :]]
        return [*folders, *map(self.known, own)]

    def known(self, name: str) -> dict[str, Any]:
        content = self.server.files()[name]
        return {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}

    def download(self, name: str) -> None:
        if name not in self.server.files():
            self.answer({"error": "no such file"}, 404, X_Error_Code="EntryNotFound")
            return
        content = self.server.files()[name]
        if self.command == "GET" and self.server.broken_downloads:
            self.server.broken_downloads -= 1
            content = content[: len(content) // 2]  # and the connection closes
            self.close_connection = True
        first, last = (self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")
        whole = self.server.files()[name]
        asked = content[int(first) : int(last) + 1 if last else None]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(whole[int(first) : int(last) + 1 if last else None])))
        self.send_header("ETag", f'"{hashlib.sha256(whole).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(asked)

    def do_PUT(self) -> None:
        blob = self.body()
        if self.server.broken_uploads:
            self.server.broken_uploads -= 1
            return self.answer({}, 403)
        self.server.uploads += 1
        self.server.blobs[hashlib.sha256(blob).hexdigest()] = blob
        return self.answer({})

    def do_POST(self) -> None:
        body = self.body()
        if self.path == "/api/repos/create":
            self.server.created.append(json.loads(body))
            return self.answer({"url": f"{self.server.url}/datasets/me/set", "id": "me/set"})
        if "/preupload/" in self.path:
            files = json.loads(body)["files"]
            return self.answer({"files": [self.mode(file["path"]) for file in files]})
        if self.path.endswith("/objects/batch"):
            return self.answer(
                {"transfer": "basic", "objects": [self.slot(o) for o in json.loads(body)["objects"]]}
            )
        if "/paths-info/" in self.path:
            wanted = parse_qs(body.decode()).get("paths", []) or json.loads(body or b"{}").get("paths", [])
            return self.answer([self.known(name) for name in wanted if name in self.server.files()])
        return self.commit(body) if "/commit/" in self.path else self.answer({})

    def mode(self, path: str) -> dict[str, Any]:
        mode = "lfs" if path.endswith(".parquet") else "regular"
        return {"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": None}

    def slot(self, wanted: dict[str, Any]) -> dict[str, Any]:
        there = wanted["oid"] in self.server.blobs
        action = {} if there else {"actions": {"upload": {"href": f"{self.server.url}/lfs/{wanted['oid']}"}}}
        return {"oid": wanted["oid"], "size": wanted["size"], **action}

    def commit(self, body: bytes) -> None:
        if self.server.faults:
            return self.answer({"error": "not now"}, self.server.faults.pop(0), **self.server.headers)
        lines = [json.loads(line) for line in body.splitlines()]
        values = [line["value"] for line in lines if line["key"] in ("file", "lfsFile")]
        self.server.commits.append({v["path"]: v.get("oid") or v["content"] for v in values})
        return self.answer(
            {"commitUrl": f"{self.server.url}/datasets/me/set/commit/{COMMIT}", "commitOid": COMMIT}
        )


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    server = Hub()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "data" / "sft").mkdir(parents=True)
    (tmp_path / "set" / "README.md").write_text("---\nlicense: mit\n---\n# A set\n")
    (tmp_path / "set" / "data" / "sft" / "train-00000-of-00001.parquet").write_bytes(b"PAR1 rows PAR1")
    return tmp_path / "set"


def send(hub: Hub, folder: Path, **options: Any) -> tuple[str, list[float]]:
    pauses: list[float] = []
    url = push(folder, "me/set", token="hf_test", private=True, sleep=pauses.append, **options)
    return url, pauses


def test_everything_goes_in_one_commit_to_a_private_repository(hub: Hub, folder: Path):
    url, pauses = send(hub, folder)
    assert url.endswith("1" * 40)
    assert pauses == []
    (created,) = hub.created
    assert created.get("private") or created.get("visibility") == "private"
    (commit,) = hub.commits
    assert sorted(commit) == ["README.md", "data/sft/train-00000-of-00001.parquet"]
    assert commit["data/sft/train-00000-of-00001.parquet"] == hashlib.sha256(b"PAR1 rows PAR1").hexdigest()


@pytest.mark.parametrize("status", [412, 429, 503])
def test_a_busy_hub_is_asked_again_and_no_file_is_sent_twice(hub: Hub, folder: Path, status: int):
    hub.faults = [status]
    _, pauses = send(hub, folder)
    assert len(hub.commits) == 1
    assert hub.uploads == 1
    assert pauses in ([], [2.0])  # the client itself waits out some of them


def test_the_pause_is_the_one_that_the_hub_asks_for(hub: Hub, folder: Path):
    hub.faults, hub.headers = [412], {"Retry_After": "17"}
    assert send(hub, folder)[1] == [17.0]


def test_a_push_that_failed_is_taken_up_where_it_stopped(hub: Hub, folder: Path):
    hub.faults = [412, 412]
    with pytest.raises(DistilleryError, match="sends only what is owed"):
        send(hub, folder, attempts=2)
    send(hub, folder)
    assert hub.uploads == 1


def test_a_refused_token_is_not_tried_again(hub: Hub, folder: Path):
    hub.faults = [403]
    with pytest.raises(DistilleryError, match="HF_TOKEN must be allowed"):
        send(hub, folder)
    assert hub.commits == []


def test_an_upload_that_breaks_in_a_worker_is_tried_again(hub: Hub, folder: Path):
    hub.broken_uploads = 1
    _, pauses = send(hub, folder)
    assert pauses == [2.0]
    assert len(hub.commits) == 1


def test_a_hub_that_is_down_is_one_line(hub: Hub, folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DistilleryError, match="the folder is whole on disk"):
        send(hub, folder, attempts=1)


@pytest.mark.slow
@pytest.mark.parametrize("breaks", [0, 2])
def test_what_was_pushed_is_what_load_dataset_gives(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, breaks: int
):
    rows = [{"question": f"What is {n} + {n}?", "answers": [str(2 * n), "none"]} for n in range(2_000)]
    out = tmp_path / "set"
    for config, part in (("default", rows), ("sft", rows[:7])):
        (out / "data" / config).mkdir(parents=True)
        for number in range(2):
            file = out / "data" / config / f"train-{number:05d}-of-00002.parquet"
            pl.DataFrame(part[number::2]).write_parquet(file)
    configs = "".join(
        f"- config_name: {name}\n  data_files:\n  - split: train\n    path: data/{name}/train-*\n"
        for name in ("default", "sft")
    )
    (out / "README.md").write_text(f"---\nconfigs:\n{configs}---\n# A set\n")
    hub.faults = [429, 412]
    hub.broken_uploads = 1
    send(hub, out)
    for module in ("huggingface_hub.constants", "datasets.config"):
        monkeypatch.setattr(f"{module}.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("datasets.config.HF_ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        hub.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    hub.broken_downloads = breaks
    import datasets

    for config, part in (("default", rows), ("sft", rows[:7])):
        found = datasets.load_dataset(
            "me/set", config, split="train", cache_dir=str(tmp_path / "cache"), token="hf_test"
        )
        assert sorted(found.to_list(), key=str) == sorted(part, key=str)
    assert hub.broken_downloads == 0
