"""Settings from their four places: settings.toml, ``.env``, the environment, the command line."""

from __future__ import annotations

import logging
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from marshmallow import ValidationError

from domain.refusals import OperatorError
from schemas.configuration.settings import ENVIRONMENT_NAMES, Settings, SettingsSchema, sentences

logger = logging.getLogger(__name__)


class SettingsError(OperatorError):
    """Why settings cannot be used, in a sentence for the operator."""


def read_settings(
    file: Path | None, dotenv: Path, environment: Mapping[str, str], overrides: Mapping[str, Any]
) -> Settings:
    """All settings, validated; each place overrides the one before it.

    Without a ``file`` every default holds.

    ``given`` are those of the command line, by ``section.key``. In ``.env`` and the environment a setting is
    ``SECTION__KEY`` or its name in ``ENVIRONMENT_NAMES``; a ``.env`` that does not exist says nothing. Raises
    SettingsError.
    """
    tree = {} if file is None else _read_toml(file)
    known = SettingsSchema().fields
    for name, value in {**_read_dotenv(dotenv), **environment}.items():
        section, separator, key = name.lower().partition("__")
        if name in ENVIRONMENT_NAMES:
            _put(tree, ENVIRONMENT_NAMES[name], value)
        elif separator and section in known:
            _put(tree, f"{section}.{key}", value)
    for name, value in overrides.items():
        _put(tree, name, value)
    if "replay.file" in overrides:
        _put(tree, "feed.source", "replay")
    try:
        settings: Settings = SettingsSchema().load(tree)
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise SettingsError("; ".join(sentences(messages))) from None
    return settings


def warn_of_open_secrets(dotenv: Path) -> None:
    """Warn if others than its owner may read the file of the secrets."""
    try:
        mode = dotenv.stat().st_mode
    except OSError:
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        logger.warning("%s holds secrets and others may read it: chmod 600 %s", dotenv.name, dotenv.name)


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """``section.key=value`` of each text. Raises SettingsError."""
    result = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or "." not in name:
            raise SettingsError(f"--set takes SECTION.KEY=VALUE, was {text!r}.")
        result[name] = value
    return result


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} is no valid TOML: {error}.") from None


def _read_dotenv(path: Path) -> dict[str, str]:
    try:
        return {name: value for name, value in dotenv_values(path).items() if value is not None}
    except OSError as error:
        raise SettingsError(f"The file {path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"The file {path} must be text in UTF-8.") from None


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    section, _, key = name.partition(".")
    tree.setdefault(section, {})[key] = value
