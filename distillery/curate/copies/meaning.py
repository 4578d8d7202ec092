"""Which texts mean the same, from their vectors and the numbers in them.

Two problems that differ in a number are two, however near their vectors lie: where that is asked for, only
texts with the same `numbers` are ever compared.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

from distillery.curate.copies.minhash import Indices, Links
from distillery.curate.text.normalize import tokens

Vectors = npt.NDArray[np.floating]
"""Shape (texts, dimensions), each row of length 1."""

_BLOCK = 1 << 11  # texts compared with a group at a time
_WHOLE = 1 << 15  # texts of a group in which each is compared with each
_ROUNDS = 6  # of k-means, in a larger one


def undrawn(texts: pl.Series) -> pl.Series:
    """Without Asymptote drawings, which some copies of a problem have and some have not."""
    return texts.str.replace_all(r"(?s)\[asy\].*?(?:\[/asy\]|$)", " ")


def numbers(texts: pl.Series) -> npt.NDArray[np.uint64]:
    """One number a text for the set of numbers in it, whatever their order and spelling."""
    found = (
        tokens(texts)
        .list.eval(pl.element().filter(pl.element().str.contains(r"^\d")))
        .list.sort()
        .list.join(" ")
    )
    return np.array(
        [int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) for text in found.fill_null("")],
        np.uint64,
    )


def nearest(
    asked: Vectors, known: Vectors, asked_groups: npt.NDArray[np.uint64], known_groups: npt.NDArray[np.uint64]
) -> tuple[Indices, npt.NDArray[np.float32]]:
    """For each text the nearest known one of its group, -1 where its group has none; and the cosine."""
    best, score = np.full(len(asked), -1, np.int64), np.full(len(asked), -1.0, np.float32)
    order = np.argsort(known_groups, kind="stable")
    begins = np.searchsorted(known_groups[order], asked_groups, side="left")
    ends = np.searchsorted(known_groups[order], asked_groups, side="right")
    for begin, end in sorted(set(zip(begins.tolist(), ends.tolist(), strict=True))):
        inside = order[begin:end]
        rows = np.flatnonzero((begins == begin) & (ends == end)) if begin < end else ()
        for at in range(0, len(rows), _BLOCK):
            part = rows[at : at + _BLOCK]
            cosines = asked[part].astype(np.float32) @ known[inside].astype(np.float32).T
            best[part] = inside[cosines.argmax(1)]
            score[part] = cosines.max(1)
    return best, score


def meaning_links(vectors: Vectors, groups: npt.NDArray[np.uint64], *, threshold: float) -> Links:
    """Pairs of one group whose cosine reaches `threshold`, left < right.

    In a group of more than 32,768 texts only those are compared that k-means puts into one cluster (SemDeDup,
    Abbas et al. 2023, arXiv:2303.09540): two texts near a border may not meet.
    """
    found = [Links(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))]
    order = np.argsort(groups, kind="stable")
    for group in np.split(order, np.flatnonzero(np.diff(groups[order])) + 1) if len(order) else ():
        for rows in _clusters(group, vectors):
            found.extend(_pairs(rows, vectors, threshold))
    return Links(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def _pairs(rows: Indices, vectors: Vectors, threshold: float) -> list[Links]:
    if len(rows) < 2:
        return []
    whole, found = vectors[rows].astype(np.float32), list[Links]()
    for at in range(0, len(rows), _BLOCK):
        cosines = whole[at : at + _BLOCK] @ whole[at:].T
        left, right = np.nonzero(np.triu(cosines >= threshold, k=1))
        found.append(
            Links(rows[left + at], rows[right + at], np.minimum(cosines[left, right], 1.0).astype(np.float64))
        )
    return found


def _clusters(rows: Indices, vectors: Vectors) -> list[Indices]:
    """Each in the order of `rows`."""
    count = -(-len(rows) // _WHOLE)
    if count <= 1:
        return [rows]
    count *= 2
    centres = vectors[rows[:: len(rows) // count][:count]].astype(np.float32)
    owner = np.zeros(len(rows), np.int64)
    for _ in range(_ROUNDS):
        for at in range(0, len(rows), _BLOCK):
            owner[at : at + _BLOCK] = (vectors[rows[at : at + _BLOCK]].astype(np.float32) @ centres.T).argmax(
                1
            )
        for number in range(count):
            if (inside := rows[owner == number]).size:
                middle = vectors[inside].astype(np.float32).mean(0)
                centres[number] = middle / max(float(np.linalg.norm(middle)), 1e-9)
    return [rows[owner == number] for number in range(count)]
