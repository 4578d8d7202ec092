"""Texts without this machine's secrets: what a server, a proxy or a library says may repeat them."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, unquote, urlsplit
from urllib.request import getproxies

_STRUCK = "***"
_USER = re.compile(r"(?<=://)[^\s/?#@'\"]+(?=@)")
_LEAST = 6  # characters of a secret; a shorter one, as `none` or `EMPTY`, is none


def struck(text: str, environment: Iterable[str] = ()) -> str:
    """`text` without the values of these environment variables, the users and passwords of the proxies, and
    those of any URL; also as they stand in a URL, in JSON, or in the header of a basic authentication."""
    secrets = [os.environ.get(name, "") for name in environment]
    for proxy in getproxies().values():
        parts = urlsplit(proxy) if "@" in proxy else None
        if parts and parts.password:
            user, password = unquote(parts.username or ""), unquote(parts.password)
            secrets += [parts.password, password, f"{user}:{password}"]
    pattern = _pattern(tuple(secret for secret in secrets if len(secret) >= _LEAST))
    text = pattern.sub(_STRUCK, text) if pattern else text
    return _USER.sub(_STRUCK, text) if "@" in text else text


@lru_cache(16)
def _pattern(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    forms = {form for secret in secrets for form in _forms(secret)}
    return re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True)))) if forms else None


def _forms(secret: str) -> Iterable[str]:
    encoded = secret.encode(errors="surrogateescape")
    return (
        secret,
        quote(encoded),
        quote(encoded, safe=""),
        json.dumps(secret)[1:-1],
        base64.b64encode(encoded).decode(),
    )
