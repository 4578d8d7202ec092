"""Which of some pairs of texts another package takes for copies: estimated Jaccard similarity of 3-word runs.
Usage: pair_peers.py datasketch|rensa PAIRS_JSON THRESHOLD. Prints a list of booleans."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PERMUTATIONS = 128


def shingles(text: str) -> list[str]:
    words = text.lower().split()
    return [" ".join(words[at : at + 3]) for at in range(max(1, len(words) - 2))]


def datasketch_similarity(one: str, other: str) -> float:
    from datasketch import MinHash

    marks = []
    for text in (one, other):
        mark = MinHash(num_perm=PERMUTATIONS)
        mark.update_batch([run.encode() for run in shingles(text)])
        marks.append(mark)
    return marks[0].jaccard(marks[1])


def rensa_similarity(one: str, other: str) -> float:
    from rensa import RMinHash

    marks = []
    for text in (one, other):
        mark = RMinHash(num_perm=PERMUTATIONS, seed=1)
        mark.update(shingles(text))
        marks.append(mark)
    return marks[0].jaccard(marks[1])


if __name__ == "__main__":
    similarity = {"datasketch": datasketch_similarity, "rensa": rensa_similarity}[sys.argv[1]]
    pairs = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps([similarity(one, other) >= float(sys.argv[3]) for one, other in pairs]))
