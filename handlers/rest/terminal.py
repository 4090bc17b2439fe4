"""The terminal: the files that ``web/`` was built into, each held in memory and compressed beforehand."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from domain.errors import ErrorCode
from handlers.access.errors import ApiError
from handlers.access.rate_limit import CHEAP
from handlers.access.rules import AccessRules
from handlers.access.security_headers import TERMINAL_HEADERS
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services

ROOT = Path(__file__).parents[2]
# beside the sources, or where a wheel puts it
BUILT = next(
    (
        folder
        for folder in (ROOT / "web" / "dist", Path(sys.prefix) / "share" / "indian-options-server" / "web")
        if (folder / "index.html").is_file()
    ),
    ROOT / "web" / "dist",
)
HOW_TO_GET_IT = (
    "The terminal, which stands here, is not built: with Node.js 20 or newer, <code>make web</code> "
    "builds it, and <code>make run</code> does so by itself."
)
_TYPES = {
    ".html": "text/html; charset=UTF-8",
    ".js": "text/javascript; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
A_YEAR_S = 31_536_000


@dataclass(frozen=True, slots=True)
class WebFile:
    """A file of the terminal: its type, its bytes, and those by encoding, best first."""

    content_type: str
    plain: bytes
    encoded: tuple[tuple[str, bytes], ...]
    etag: str

    def best(self, accepted: str) -> tuple[str, bytes]:
        """The encoding and bytes for a client that accepts some; an empty name for the plain ones."""
        names = {part.partition(";")[0].strip() for part in accepted.lower().split(",")}
        return next(((name, text) for name, text in self.encoded if name in names), ("", self.plain))


def built_files(folder: Path = BUILT) -> Mapping[str, WebFile]:
    """The files by path (``index.html``, ``assets/…``); none where nothing is built."""
    found: dict[str, WebFile] = {}
    for path in sorted(folder.rglob("*")) if (folder / "index.html").exists() else ():
        content_type = _TYPES.get(path.suffix)
        if content_type is None:
            continue
        encoded = [(name, path.with_name(path.name + suffix)) for name, suffix in _ENCODINGS]
        plain = path.read_bytes()
        found[path.relative_to(folder).as_posix()] = WebFile(
            content_type,
            plain,
            tuple((name, other.read_bytes()) for name, other in encoded if other.exists()),
            f'"{sha256(plain).hexdigest()[:20]}"',
        )
    return found


class WebFileHandler(ApiHandler):
    """``/assets/NAME``: named after its content, so that it never changes."""

    needs_key = False
    cost = CHEAP

    def initialize(  # type: ignore[override]
        self, services: Services, access: AccessRules, files: Mapping[str, WebFile]
    ) -> None:
        """Take the files, and the parts of every handler."""
        super().initialize(services, access)
        self.files = files

    def get(self, name: str) -> None:
        """Answer with the file."""
        file = self.files.get(f"assets/{name}")
        if file is None:
            raise ApiError(ErrorCode.NOT_FOUND, f"There is no file {name[:80]} of the terminal.")
        self.set_header("Cache-Control", f"public, max-age={A_YEAR_S}, immutable")
        send_file(self, file)


def send_file(handler: ApiHandler, file: WebFile) -> None:
    """Answer with a file as the client takes it best, or that it has it already."""
    for name, value in TERMINAL_HEADERS.items():
        handler.set_header(name, value)
    handler.set_header("Content-Type", file.content_type)
    handler.set_header("Etag", file.etag)
    if handler.check_etag_header():
        handler.set_status(304)
        handler.finish()
        return
    encoding, text = file.best(handler.request.headers.get("Accept-Encoding", ""))
    if encoding:
        handler.set_header("Content-Encoding", encoding)
    handler.finish(text)
