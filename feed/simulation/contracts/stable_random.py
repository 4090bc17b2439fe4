"""Chance that a contract keeps for life, in every run of a seed and through every relisting."""

from __future__ import annotations

import numpy as np

from feed.simulation.contracts.book import Book
from feed.simulation.parameters import FloatArray


def lasting_chance(book: Book, seed: int) -> FloatArray:
    """A uniform number for each contract that is its own for life, from seed and token: (2, n)."""
    with np.errstate(over="ignore"):
        mixed = book.universe.token[book.rows].astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        mixed += np.uint64(seed % (1 << 63)) * np.uint64(0xD1342543DE82EF95)
        # the finaliser of splitmix64
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    chance: FloatArray = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / float(1 << 53)
    return chance
