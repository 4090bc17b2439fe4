"""The name of an epoch: a digest of everything that the prices and sequence numbers in it depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

FEED = Path(__file__).parents[1]
_LETTERS = 16


def digest(parts: Iterable[object]) -> str:
    """Of the parts in their order, each by its text."""
    sums = hashlib.sha256()
    for part in parts:
        sums.update(repr(part).encode() + b"\0")
    return sums.hexdigest()[:_LETTERS]


def contents(*files: Path) -> list[str | None]:
    """A digest of what each file holds; None for one that is not there."""
    return [hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None for file in files]


def data_files() -> list[Path]:
    """The files of facts and parameters that come with the program."""
    files = (file for file in FEED.rglob("*.*") if file.suffix in (".toml", ".csv"))
    return sorted(files, key=lambda file: file.name)
