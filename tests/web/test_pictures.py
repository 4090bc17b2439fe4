"""README's pictures can be taken anew, of every page, and are small."""

from __future__ import annotations

import re

import pytest

from tests.processes import ROOT
from tests.web.conftest import needs_terminal
from tests.web.pictures import take
from tests.web.test_terminal import PAGES

pytestmark = needs_terminal
MOST_BYTES = 200_000


def test_readme_shows_every_page():
    shown = set(re.findall(r"\(docs/pictures/(\S+?)\.png\)", (ROOT / "README.md").read_text()))
    assert shown >= set(PAGES)
    assert {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")} >= shown


@pytest.mark.nightly
@pytest.mark.timeout(120)
def test_pictures_of_every_page_are_taken_and_small(tmp_path):
    take(tmp_path)
    taken = {path.stem: path.stat().st_size for path in tmp_path.glob("*.png")}
    assert taken.keys() == {path.stem for path in (ROOT / "docs" / "pictures").glob("*.png")}
    assert max(taken.values()) < MOST_BYTES
