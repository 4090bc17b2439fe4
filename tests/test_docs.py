"""The documents say what the code does: settings.toml, README and docs/ against schemas, routes, events."""

from __future__ import annotations

import re
import tomllib

import pytest

from schemas.configuration.settings import ENVIRONMENT_NAMES, SettingsSchema
from schemas.documents.routes import ROUTES
from schemas.events import CLIENT, SERVER
from tests.processes import ROOT

SETTINGS = ROOT / "settings.toml"
KEYS = [
    f"{section}.{key}"
    for section, nested in SettingsSchema().fields.items()
    for key in nested.schema.fields  # type: ignore[attr-defined]
]


def documented_settings():
    """Lines of settings.toml as (section.key, value as written, comment)."""
    section, found = "", []
    for line in SETTINGS.read_text().splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            section = match[1]
        elif match := re.fullmatch(r"(\w+) = (.+?)\s+# (.+)", line):
            found.append((f"{section}.{match[1]}", match[2], match[3]))
        else:
            assert not line or line.startswith("#"), f"settings.toml has a line without a comment: {line}"
    return found


def test_settings_file_lists_exactly_the_keys_of_the_schema_in_its_order():
    assert [key for key, _, _ in documented_settings()] == KEYS


def test_settings_file_shows_the_defaults_of_the_schema():
    written = tomllib.loads(SETTINGS.read_text())
    for section, nested in SettingsSchema().fields.items():
        for key, field in nested.schema.fields.items():  # type: ignore[attr-defined]
            default = field.load_default() if callable(field.load_default) else field.load_default
            assert written[section][key] == ("" if default is None else default), f"{section}.{key}"


def test_every_setting_says_why_in_one_line():
    for key, _, comment in documented_settings():
        assert len(comment) > 10, key


def test_settings_file_names_the_environment_variable_of_each_setting_that_has_one():
    told = {
        key: re.match(r"\[(\w+)\]", comment)[1]
        for key, _, comment in documented_settings()
        if comment.startswith("[")
    }
    assert told == {key: name for name, key in ENVIRONMENT_NAMES.items()}


@pytest.fixture(scope="module")
def readme():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text() for page in pages)


def is_named(name, text):
    """Whether a name stands in the text as a word of its own."""
    return re.search(rf"(?<![\w.]){re.escape(name)}(?![\w])", text) is not None


@pytest.mark.parametrize("key", KEYS)
def test_setting_is_in_the_readme(readme, key):
    assert is_named(key, readme)


@pytest.mark.parametrize("name", [*ENVIRONMENT_NAMES])
def test_environment_variable_is_in_the_readme(readme, name):
    assert is_named(name, readme)


@pytest.mark.parametrize("route", [route.path for route in ROUTES])
def test_route_is_in_the_readme(readme, route):
    assert f"`{route}`" in readme or f"`GET {route}`" in readme or f"`{route}?" in readme


@pytest.mark.parametrize("event", [*CLIENT, *SERVER])
def test_event_is_in_the_readme(readme, event):
    assert is_named(event, readme)


def test_readme_names_no_event_or_route_that_is_not_there(readme):
    known = {*CLIENT, *SERVER}
    for pattern in (r"\.emit\(\s*[\"'](\w+)[\"']", r"\.on\(\s*[\"'](\w+)[\"']"):
        for name in re.findall(pattern, readme):
            assert name in known | {"connect", "disconnect", "connect_error"}, name


def test_commands_of_the_readme_are_targets_of_the_makefile(readme):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^\s*make ([a-z-]+)", readme, re.MULTILINE))
    assert named
    assert named <= targets


def test_readme_is_a_page_of_why_and_one_of_how_and_links_every_page_of_docs():
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 110
    assert readme.splitlines()[2:4] == [
        "    make run      # sets up .venv, installs, starts the server on http://localhost:5000",
        "    make test     # sets up, runs all tests",
    ]
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    assert pages == set(re.findall(r"\]\(docs/([a-z-]+\.md)\)", readme))


@pytest.mark.parametrize(
    "page",
    [ROOT / "README.md", ROOT / "SECURITY.md", *sorted((ROOT / "docs").glob("*.md"))],
    ids=lambda p: p.name,
)
def test_links_of_a_page_lead_to_files_that_are_there(page):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text()):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target
