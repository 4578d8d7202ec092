"""Sends a finished folder to the hub: one commit, private by default, patient with a busy server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from distillery.backoff import Backoff, asked_s
from distillery.errors import DistilleryError
from distillery.hub import chain, is_transport

log = logging.getLogger(__name__)

_PASSING = frozenset({408, 409, 412, 425, 429, 500, 502, 503, 504})
"""Statuses that a later try can mend. 412: somebody else's commit came between."""
_BACKOFF = Backoff(2.0, 60.0)
_LONGEST_S = 300.0  # where the hub itself asks


def push(
    folder: Path,
    repo: str,
    *,
    token: str,
    private: bool,
    attempts: int = 6,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """The commit's address. A file that the hub has already is not sent again, so a new try is cheap."""
    from huggingface_hub import HfApi

    api = HfApi(token=token)
    attempt = 0
    while True:
        attempt += 1
        try:
            api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo,
                repo_type="dataset",
                folder_path=folder,
                commit_message="Data set written by distillery",
                delete_patterns="data/**",
            )
        # the client's transport errors change their base with its version, and a worker's are RuntimeErrors
        except Exception as error:
            # the hub's own: the storage's is wrapped deeper, and its refusals pass with a newly signed URL
            response = getattr(error, "response", None)
            status = None if response is None else int(response.status_code)
            if status is None and not is_transport(error):
                raise
            if attempt >= attempts or (status is not None and status not in _PASSING):
                raise DistilleryError(f"hub {repo}: {_reason(error)}; {_advice(status)}") from error
            asked = None if response is None else asked_s(response.headers)
            pause = _BACKOFF.wait_s(attempt) if asked is None else min(_LONGEST_S, asked)
            log.warning("hub %s: %s; trying again in %.0f s", repo, _reason(error), pause)
            sleep(pause)
        else:
            return str(commit)


def _advice(status: int | None) -> str:
    match status:
        case 401 | 403:
            return "HF_TOKEN must be allowed to write there"
        case 400 | 404:
            return "the name must be owner/name, and the owner must exist"
        case _:
            return "the folder is whole on disk: the same command tries again and sends only what is owed"


def _reason(error: BaseException) -> str:
    innermost = list(chain(error))[-1]
    return (str(innermost).strip().splitlines() or [type(innermost).__name__])[0]
