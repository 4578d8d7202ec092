"""Which pairs of known relation are taken for copies, kind by kind, beside datasketch, rensa and embeddings.

Peers run under the Python that DISTILLERY_BENCH_PEERS names, where it has them; `dedup.semantic` with the model
in the folder DISTILLERY_BENCH_EMBEDDING (`make bench-peers` makes both).
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from distillery.config import build
from distillery.engines.embedding import Embedding
from distillery.stages.dedup.exact import DedupExact
from distillery.stages.dedup.minhash import DedupMinhash
from distillery.stages.dedup.semantic import DedupSemantic
from tests.stages.dedup.labelled_pairs import CHANGES, SPELLINGS, Pair, problems, reworded, rewritten

CLIENTS = Path(__file__).parent / "clients"
ROOT = CLIENTS.parents[2]
PEERS = Path(os.environ.get("DISTILLERY_BENCH_PEERS", ROOT / ".venv-bench" / "bin" / "python"))
MODEL = Path(os.environ.get("DISTILLERY_BENCH_EMBEDDING", ROOT / ".venv-bench" / "all-MiniLM-L6-v2"))
THRESHOLD = 0.8
COUNT = int(os.environ.get("DISTILLERY_BENCH_PAIRS", "70"))
REAL = ("math_l3to5_8k", "math_gsm8k_train")


def ours(cls: type, pairs: Sequence[Pair], **options: object) -> list[bool]:
    """All pairs of a kind in one table, as they stand among others of their kind."""
    names = [f"{number:06d}{side}" for number in range(len(pairs)) for side in "ab"]
    texts = [text for pair in pairs for text in (pair.one, pair.other)]
    kinds = defaultdict(list)
    for number, pair in enumerate(pairs):
        kinds[pair.kind] += [2 * number, 2 * number + 1]
    table, stage = pl.DataFrame({"problem_id": names, "question": texts}), build(cls, options, where="bench")
    gone: set[str] = set()
    for rows in kinds.values():
        decision = stage.decide(stage.sketch(table[rows], None), None)
        gone |= {key[:-1] for key in decision.dropped["key"]}
    return [name[:-1] in gone for name in names[::2]]


def peer(python: str | Path, name: str, file: Path) -> list[bool]:
    command = [str(python), str(CLIENTS / "pair_peers.py"), name, str(file), str(THRESHOLD)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def has(python: Path, module: str) -> bool:
    return (
        python.exists()
        and not subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode
    )


def real_problems(folder: Path) -> list[str]:
    texts: list[str] = []
    for name in REAL:
        with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            some = [json.loads(line)["question"] for line in lines][: 20 * COUNT : 20]
        texts += [text for text in some if "[asy]" not in text]
    return texts


@pytest.mark.timeout(3600)
def test_copies_kind_by_kind_beside_peers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(7)
    texts = problems(COUNT, rng)
    if folder := os.environ.get("DISTILLERY_TEST_DATA"):
        texts += real_problems(Path(folder))
    same, other = rewritten(texts, SPELLINGS, rng), rewritten(texts, CHANGES, rng)
    pairs = [*same, *other, *reworded(10, rng)]
    file = tmp_path / "pairs.json"
    file.write_text(json.dumps([[pair.one, pair.other] for pair in pairs]), encoding="utf-8")
    found = {"exact": ours(DedupExact, pairs), "minhash": ours(DedupMinhash, pairs, threshold=THRESHOLD)}
    found["datasketch"] = peer(sys.executable, "datasketch", file)
    if has(PEERS, "rensa"):
        found["rensa"] = peer(PEERS, "rensa", file)
    if MODEL.is_dir():
        texts = list({text for pair in pairs for text in pair[1:]})
        known = dict(zip(texts, Embedding(model=str(MODEL)).vectors(texts), strict=True))
        monkeypatch.setattr(Embedding, "vectors", lambda self, asked: np.array([known[one] for one in asked]))
        options = {"embedding": {"model": str(MODEL)}}
        found["semantic"] = ours(DedupSemantic, pairs, **options)
        found["semantic .85"] = ours(DedupSemantic, pairs, **options, threshold=0.85)
        found["cosine .95"] = ours(DedupSemantic, pairs, **options, same_numbers=False)
    shares = _shares(pairs, found)
    print(
        f"\nshare of pairs taken for copies, {len(pairs):,} pairs\n{'':26}{'pairs':>6}",
        *(f"{name:>12}" for name in found),
    )
    for kind, (count, by) in shares.items():
        group = "copy" if kind in SPELLINGS else "other" if kind in CHANGES else "reworded"
        print(f"{group:9}{kind:17}{count:6}", *(f"{share:12.3f}" for share in by.values()))
    for kind, (_, by) in shares.items():
        if kind in SPELLINGS:
            assert by["minhash"] >= 0.99, kind
        if kind in CHANGES:
            assert by["minhash"] <= 0.01, kind


def _shares(pairs: Sequence[Pair], found: dict[str, list[bool]]) -> dict[str, tuple[int, dict[str, float]]]:
    rows = defaultdict(list)
    for number, pair in enumerate(pairs):
        rows[pair.kind].append(number)
    return {
        kind: (len(some), {name: sum(told[row] for row in some) / len(some) for name, told in found.items()})
        for kind, some in rows.items()
    }
