"""The stage's own scheduler against slow answers; what the server had in flight until the last requests were
left."""

import json
import sys
import time
import urllib.request

from distillery.engines import Request, Sampling
from distillery.engines.openai.engine import OpenAIServer


def in_flight(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/mock/stats") as reply:
        return json.load(reply)["in_flight"]


def main(url: str, count: int, wanted: int) -> None:
    engine = OpenAIServer("mock", url, concurrency=wanted, timeout_s=600)
    asked = (
        Request(f"k{n}", (("user", f"What is {n} + {n}?"),), Sampling(max_tokens=512), n)
        for n in range(count)
    )
    heard, seen, looked = 0, [], 0.0
    for group in engine.batches(asked):
        heard += len(group)
        if wanted < heard < count - wanted and time.monotonic() - looked > 0.05:
            looked = time.monotonic()
            seen.append(in_flight(url))
    print(json.dumps({"mean_in_flight": sum(seen) / len(seen), "looks": len(seen)}))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
