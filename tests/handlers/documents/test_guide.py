"""The handbook at ``/docs/``: every page is served, whole, and its links lead somewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from handlers.documents.guide import ELSEWHERE, Guide
from tests.processes import ROOT

PAGES = sorted(Guide(ROOT).files)


class Links(HTMLParser):
    """What a page leads to, loads, and can be led to."""

    def __init__(self, page):
        super().__init__()
        self.to, self.loads, self.anchors, self.tags = [], [], set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.to += [given["href"]] if "href" in given else []
        self.loads += [given["src"]] if "src" in given else []
        self.anchors |= {given["id"]} if "id" in given else set()


def test_handbook_has_every_page_of_the_tree():
    assert set(PAGES) == {path.stem for path in (ROOT / "docs").glob("*.md")} | set(ELSEWHERE)


@pytest.mark.gen_test
@pytest.mark.parametrize("name", PAGES)
async def test_page_is_whole_and_its_links_lead_somewhere(sandbox, fetch, name):
    answer = await fetch(sandbox, f"/docs/{name}")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert "script-src 'none'" in answer.headers["Content-Security-Policy"] or (
        "default-src 'none'" in answer.headers["Content-Security-Policy"]
    )
    page = Links(answer.raw.decode())
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    here = f"{sandbox.url}/docs/{name}"
    for target in {*page.to, *page.loads}:
        whole = urljoin(here, target)
        if not whole.startswith(sandbox.url):
            assert urlsplit(whole).scheme in ("https", "http", "mailto"), target
            continue
        path, _, anchor = whole.removeprefix(sandbox.url).partition("#")
        if path == "/":  # the terminal, which a test of its own looks at
            continue
        there = await fetch(sandbox, path)
        assert there.status == 200, target
        if anchor:
            assert anchor in Links(there.raw.decode()).anchors, target


@pytest.mark.gen_test
async def test_folder_without_its_slash_leads_to_it(sandbox, fetch):
    answer = await fetch(sandbox, "/docs", follow_redirects=False)
    assert (answer.status, urljoin(f"{sandbox.url}/docs", answer.headers["Location"])) == (
        302,
        f"{sandbox.url}/docs/",
    )


@pytest.mark.gen_test
async def test_page_that_one_has_is_not_sent_again(sandbox, fetch):
    first = await fetch(sandbox, "/docs/testing")
    again = await fetch(sandbox, "/docs/testing", headers={"If-None-Match": first.headers["Etag"]})
    assert (again.status, again.raw) == (304, b"")


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["nowhere", "pictures/nothing.png", "testing?x=1"])
async def test_what_is_not_there_is_told_in_a_sentence(sandbox, fetch, name):
    answer = await fetch(sandbox, f"/docs/{name}")
    assert answer.status == (400 if "?" in name else 404)
    assert re.search(r"There is no p|\bx\b", answer.body["message"])


def test_markup_of_a_page_is_shown_and_not_taken(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "odd.md").write_text(
        "# A <b>title</b>\n\n<script>alert(1)</script>\n\n[x](javascript:alert(1)) [y](other.md)\n"
    )
    page = Guide(tmp_path).page("odd").decode()
    assert "<title>A &lt;b&gt;title&lt;/b&gt;</title>" in page
    assert "javascript:" not in re.sub(r"\[x\]\(.*?\)", "", page)
    assert "other.md" not in page  # a file that is not served is no link
