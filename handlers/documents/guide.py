"""The handbook at ``/docs/``: README and the pages of ``docs/``, as HTML that loads nothing else."""

from __future__ import annotations

import asyncio
import re
import sys
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from domain.errors import ErrorCode
from handlers.access.errors import ApiError
from handlers.access.rate_limit import CHEAP
from handlers.access.rules import AccessRules
from handlers.documents.page import STYLE
from handlers.documents.shapes import html
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services

ROOT = Path(__file__).parents[2]
# beside the sources, or where a wheel puts it
HOME = next(
    (
        folder
        for folder in (ROOT, Path(sys.prefix) / "share" / "indian-options-server")
        if (folder / "docs").is_dir()
    ),
    ROOT,
)
# pages that stand elsewhere in the tree, by the name that they have here
ELSEWHERE = {
    "": "README.md",
    "threats": "SECURITY.md",
    "changelog": "CHANGELOG.md",
    "bench": "bench/README.md",
    "typescript": "clients/typescript/README.md",
}
_MORE_STYLE = (
    "img{max-width:100%;height:auto;border:1px solid var(--line);border-radius:.25rem}"
    "td img{min-width:8rem}header a{margin-right:1rem}.wide{overflow-x:auto}"
    "pre code{padding:0;background:none}@media(max-width:40rem){.wide table{display:table;min-width:30rem}"
    ".wide thead{display:table-header-group}.wide tbody{display:table-row-group}.wide tr{display:table-row}"
    ".wide th,.wide td{display:table-cell;padding:.35rem .75rem .35rem 0;border-top:1px solid var(--line)}}"
)


class Guide:
    """The pages, each rendered when it is first asked for."""

    def __init__(self, home: Path = HOME) -> None:
        self._home = home
        self._pages: dict[str, bytes] = {}
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    @cached_property
    def files(self) -> dict[str, Path]:
        """The file of each page, by its name; none where the handbook was not installed."""
        found = {path.stem: path for path in sorted((self._home / "docs").glob("*.md"))}
        elsewhere = {name: self._home / path for name, path in ELSEWHERE.items()}
        return found | {name: path for name, path in elsewhere.items() if path.is_file()}

    @cached_property
    def _names(self) -> dict[Path, str]:
        """The name of each page's file."""
        return {path.resolve(): name for name, path in self.files.items()}

    @cached_property
    def pictures(self) -> dict[str, Path]:
        """The pictures, by name."""
        return {path.name: path for path in (self._home / "docs" / "pictures").glob("*.png")}

    def page(self, name: str) -> bytes | None:
        """A page, None where there is none of that name."""
        path = self.files.get(name)
        if path is None:
            return None
        if name not in self._pages:
            self._pages[name] = self._render(path).encode()
        return self._pages[name]

    def _render(self, path: Path) -> str:
        text = path.read_text(encoding="utf-8")
        tokens = self._markdown.parse(text)
        for token in tokens:
            for inner in token.children or ():
                self._point(inner, path)
        body = self._markdown.renderer.render(tokens, self._markdown.options, {})
        body = body.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")
        body = re.sub(r"<h([2-4])>(.*?)</h\1>", _with_anchor, body)
        title = re.search(r"^# (.+)$", text, re.M)
        name = html(title[1] if title else path.stem)
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width,initial-scale=1">'
            f"<title>{name}</title><style>{STYLE}{_MORE_STYLE}</style></head><body><header>"
            '<a href="../">terminal</a><a href="./">handbook</a><a href="../api/docs">routes and events</a>'
            f"</header><main>{body}</main></body></html>"
        )

    def _point(self, token: Token, page: Path) -> None:
        """Have a link or picture of the tree lead to the page that it is here."""
        name = "src" if token.type == "image" else "href"
        target = token.attrGet(name) if token.type in ("image", "link_open") else None
        if not isinstance(target, str) or re.match(r"[a-z]+:|#", target):
            return
        file, mark, anchor = target.partition("#")
        resolved = (page.parent / file).resolve()
        if resolved in self._names:
            token.attrSet(name, (self._names[resolved] or "./") + mark + anchor)
        elif resolved.name in self.pictures:
            token.attrSet(name, f"pictures/{resolved.name}")
        else:  # a file of the tree that is not served: its name says where to look
            token.attrs.pop(name, None)


def _with_anchor(found: re.Match[str]) -> str:
    words = re.sub(r"<[^>]+>|&[a-z]+;", "", found[2]).lower()
    anchor = re.sub(r"[^a-z0-9]+", "-", words).strip("-")
    return f'<h{found[1]} id="{anchor}">{found[2]}</h{found[1]}>'


class GuideHandler(ApiHandler):
    """``/docs/`` and its pages."""

    needs_key = False
    cost = CHEAP

    def initialize(self, services: Services, access: AccessRules, guide: Guide) -> None:  # type: ignore[override]
        """Take the handbook too."""
        super().initialize(services, access)
        self.guide = guide

    async def get(self, name: str | None = None) -> None:
        """Answer with a page."""
        self.no_arguments()
        if name is None:  # links are relative: the page is that of a folder
            self.redirect("docs/")
            return
        # the first one of a page takes tens of milliseconds, which are the streams'
        page = await asyncio.get_running_loop().run_in_executor(None, self.guide.page, name)
        if page is None:
            known = ", ".join(filter(None, sorted(self.guide.files))) or "none: it was not installed"
            raise ApiError(ErrorCode.NOT_FOUND, f"There is no page {name[:40]!r}; the handbook has {known}.")
        self.set_page_headers()
        self.finish_unchanging(page, "text/html; charset=UTF-8")


class GuidePictureHandler(GuideHandler):
    """``/docs/pictures/NAME``."""

    async def get(self, name: str | None = None) -> None:
        """Answer with a picture."""
        self.no_arguments()
        path = self.guide.pictures.get(name or "")
        if path is None:
            raise ApiError(ErrorCode.NOT_FOUND, f"There is no picture {(name or '')[:60]!r}.")
        self.finish_unchanging(path.read_bytes(), "image/png")


@cache
def _installed() -> Guide:
    """What every server of this process serves alike."""
    return Guide()


def guide_routes(parts: dict[str, Any]) -> list[tuple[str, type[ApiHandler], dict[str, Any]]]:
    """The routes of the handbook."""
    more = {**parts, "guide": _installed()}
    return [
        ("/docs", GuideHandler, more),
        (r"/docs/([a-z0-9-]*)", GuideHandler, more),
        (r"/docs/pictures/([a-z0-9.-]+)", GuidePictureHandler, more),
    ]
