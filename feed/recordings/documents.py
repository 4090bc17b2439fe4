"""A file as it lies on the disk, opened: plain, gzipped or a zip of several, as text or as JSON."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from feed.recordings.frames import RecordingError

MOST_BYTES = 1 << 30  # unpacked; twenty years of minutes are 200 MB
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DELIMITERS = ",;\t|"
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """One unpacked file: its path, the name it has (in a zip its own), and its bytes without a mark."""

    path: Path
    name: str
    content: bytes
    encoding: str = "utf-8"

    @property
    def is_json(self) -> bool:
        """Whether it begins as JSON does."""
        return self.content.lstrip()[:1] in (b"{", b"[")

    def json(self) -> Any:
        """What the JSON says; a list of it where each line is a value of its own. Raises RecordingError."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError as problem:
            try:
                return [orjson.loads(line) for line in self.content.splitlines() if line.strip()]
            except orjson.JSONDecodeError:
                raise RecordingError(self.path, f"it is not valid JSON ({problem}).") from problem

    def table(self) -> Table:
        """The lines of a CSV. Raises RecordingError."""
        try:
            lines = self.content.decode(self.encoding).splitlines()
        except UnicodeDecodeError as problem:
            raise RecordingError(self.path, "it is neither text nor a gzip or zip of it.") from problem
        if "\0" in lines[0]:
            raise RecordingError(self.path, "it is neither text nor a gzip or zip of it.")
        return Table(lines, max(_DELIMITERS, key=lines[0].count))


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of cells; each line is read alone, so that a stray quote cannot swallow the lines after it.

    ``names`` are those of the columns where no line of the file has them.
    """

    lines: Sequence[str]
    delimiter: str
    names: Sequence[str] = ()

    def header(self, line: int = 1) -> list[str]:
        """The names of a header as ``plain_column`` gives them. Raises ValueError."""
        if self.names:
            return list(self.names)
        return [plain_column(cell) for cell in self.cells(line)]

    def cells(self, line: int) -> list[str]:
        """The cells of a line, counted from 1. Raises ValueError."""
        text = self.lines[line - 1]
        if '"' not in text:
            return text.split(self.delimiter)
        try:
            cells: list[str] = next(csv.reader([text], delimiter=self.delimiter), [])
        except csv.Error as problem:
            raise ValueError(f"a row must be readable as CSV, was {text!r:.60}") from problem
        return cells

    def numbers(self, header_line: int = 1) -> Iterator[int]:
        """The numbers of the lines after the header that are not empty."""
        first = 1 if self.names else header_line + 1
        return (number for number in range(first, len(self.lines) + 1) if self.lines[number - 1].strip())

    def row(self, line: int, width: int) -> list[str]:
        """The cells of a row as wide as its header; empty ones beyond it are let go. Raises ValueError."""
        cells = self.cells(line)
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            raise ValueError(f"a row must have {width} columns, had {len(cells)}")
        return cells

    def column(self, place: int, header_line: int = 1) -> Iterator[str]:
        """The cells of one column, of the lines that have one."""
        for number in self.numbers(header_line):
            try:
                cells = self.cells(number)
            except ValueError:
                continue
            if place < len(cells):
                yield cells[place]


def parts_of_json(document: Any) -> Iterator[Any]:
    """A document, and where brokers put what they mean in it."""
    yield document
    if isinstance(document, Mapping):
        for name in ("data", "candles"):
            if name in document:
                yield from parts_of_json(document[name])


def plain_column(name: str) -> str:
    """A column's name without case, blanks and punctuation."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def documents(path: Path, most_bytes: int = MOST_BYTES) -> list[Document]:
    """What a file holds, unpacked to at most so many bytes each. Raises RecordingError."""
    try:
        content = path.read_bytes()
        opened = list(_unpacked(path, path.name, content, most_bytes))
    except OSError as problem:
        if isinstance(problem, gzip.BadGzipFile):
            raise RecordingError(path, f"it is not a whole gzip file ({problem}).") from problem
        raise RecordingError(path, f"it cannot be read ({problem.strerror or problem}).") from problem
    except (EOFError, zlib.error) as problem:
        raise RecordingError(path, f"it is not a whole gzip file ({problem}).") from problem
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as problem:
        raise RecordingError(path, f"it is not a zip file that can be opened ({problem}).") from problem
    if not opened:
        raise RecordingError(path, "it holds no file.")
    return [_marked(path, name, content) for name, content in opened]


def _unpacked(path: Path, name: str, content: bytes, most_bytes: int) -> Iterator[tuple[str, bytes]]:
    if content.startswith(_GZIP):
        with gzip.open(io.BytesIO(content)) as packed:
            yield name.removesuffix(".gz"), _read(path, packed, most_bytes)
    elif content.startswith(_ZIP):
        yield from _members(path, content, most_bytes)
    else:
        yield name, content


def _members(path: Path, content: bytes, most_bytes: int) -> Iterable[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            name = Path(member.filename).name
            if not member.is_dir() and not name.startswith("."):
                with archive.open(member) as packed:
                    yield from _unpacked(path, name, _read(path, packed, most_bytes), most_bytes)


def _read(path: Path, packed: Any, most_bytes: int) -> bytes:
    """The unpacked bytes, as many as a file may have."""
    parts, size = [], 0
    while part := packed.read(_READ_BYTES):
        size += len(part)
        if size > most_bytes:
            raise RecordingError(path, f"it unpacks to more than {most_bytes >> 20:,} MB.")
        parts.append(part)
    return b"".join(parts)


def _marked(path: Path, name: str, content: bytes) -> Document:
    """A document without its byte order mark."""
    mark, encoding = next((known for known in _ENCODINGS if content.startswith(known[0])), (b"", "utf-8"))
    content = content.removeprefix(mark)
    if not content.strip():
        raise RecordingError(path, "it is empty.")
    return Document(path, name, content, encoding)
