"""What every command takes: where settings come from, and what of them is refused in a sentence."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from schemas.configuration.settings import Settings
from schemas.configuration.settings_file import SettingsError, assignments, read_settings

PROGRAM = "server.py"
ROOT = Path(__file__).parents[1]
# where settings.toml and .env are: beside server.py, or where an installed server is started
HOME = ROOT if (ROOT / "settings.toml").exists() else Path()


def shared_options() -> argparse.ArgumentParser:
    """Options of every command that needs settings."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="another settings.toml (default: the one beside server.py; without one all is as by default)",
    )
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="settings and secrets as NAME=value (default: .env beside server.py, if there is one)",
    )
    parser.add_argument(
        "--database-url",
        dest="history.database_url",
        metavar="DATABASE_URL",
        help="where history is kept; empty keeps it in memory",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="any other setting"
    )
    return parser


def load_settings(options: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Settings of file, ``.env``, environment and command line, validated. Raises SettingsError."""
    overrides = {name: value for name, value in vars(options).items() if "." in name and value is not None}
    settings = read_settings(
        _settings_file(options), env_file(options), environment, {**overrides, **assignments(options.set)}
    )
    kept, kite, dhan = _state_directory(environment), settings.kite, settings.dhan
    return replace(
        settings,
        kite=replace(kite, token_file=kite.token_file or str(kept / "kite.json")),
        dhan=replace(dhan, token_file=dhan.token_file or str(kept / "dhan.json")),
    )


def _state_directory(environment: Mapping[str, str]) -> Path:
    """Where what must outlive a process is kept, outside of the program: the unit's, else the user's."""
    if given := environment.get("STATE_DIRECTORY", "").partition(":")[0]:
        return Path(given)
    home = environment.get("XDG_STATE_HOME") or str(Path(environment.get("HOME", "~")) / ".local" / "state")
    return Path(home).expanduser() / "market-data"


def outside_of_the_program(path: Path, setting: str) -> Path:
    """A place for a secret. Raises SettingsError for one that a commit might take."""
    if ROOT in path.resolve().parents:
        raise SettingsError(f"{setting} must be outside of the program's folder, where no commit takes it.")
    return path


def env_file(options: argparse.Namespace) -> Path:
    """The file of secrets: the one that was named, which then must exist. Raises SettingsError."""
    named: Path | None = options.env_file
    if named is not None and not named.exists():
        raise SettingsError(f"--env-file names {named}, which does not exist.")
    return named or HOME / ".env"


def _settings_file(options: argparse.Namespace) -> Path | None:
    """The settings file that was named, else the one there is at home; None is every default."""
    named: Path | None = options.settings
    return named or (HOME / "settings.toml" if (HOME / "settings.toml").exists() else None)
