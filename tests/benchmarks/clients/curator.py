"""bespokelabs-curator, as its documentation shows it, with its limits on requests a minute lifted."""

import json
import os
import sys
import tempfile
import time

os.environ.setdefault("OPENAI_API_KEY", "none")
os.environ["TELEMETRY_ENABLED"] = "false"
os.environ["CURATOR_VIEWER"] = "0"
os.environ["CURATOR_DISABLE_RICH_DISPLAY"] = "1"

import tiktoken


class Words:
    """Stands for an encoding that tiktoken would have to download; it only makes the peer faster."""

    def encode(self, text: str, **_: object) -> list[str]:
        return text.split()


tiktoken.get_encoding = tiktoken.encoding_for_model = lambda *_: Words()

from bespokelabs import curator  # noqa: E402
from datasets import Dataset  # noqa: E402


class Solver(curator.LLM):
    def prompt(self, row: dict) -> str:
        return f"What is {row['number']} + {row['number']}?"

    def parse(self, row: dict, response: str) -> dict:
        return {"number": row["number"], "text": response}


def main(url: str, count: int, in_flight: int) -> None:
    params = {
        "base_url": url,
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 10_000_000_000,
        "max_concurrent_requests": in_flight,
        "require_all_responses": True,
    }
    with tempfile.TemporaryDirectory() as folder:
        solver = Solver(
            model_name="gpt-4o-mini",
            backend="openai",
            backend_params=params,
            generation_params={"temperature": 0.6, "top_p": 0.95, "max_tokens": 512},
        )
        rows = Dataset.from_list([{"number": number} for number in range(count)])
        began = time.perf_counter()
        result = solver(rows, working_dir=folder)
        seconds = time.perf_counter() - began
        found = len(result.dataset if hasattr(result, "dataset") else result)
    print(json.dumps({"requests_per_s": found / seconds}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
