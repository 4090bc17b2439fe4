"""A login in a file that only its owner reads: a running server looks there for the next one."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path


def read_token(path: Path, application: str) -> str:
    """The access token that a login of an application (or an account) left in a file; empty without one."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    is_ours = isinstance(told, dict) and told.get("api_key") == application
    return str(told.get("access_token") or "") if is_ours else ""


def write_token(path: Path, application: str, session: Mapping[str, object]) -> None:
    """Keep a login where nobody else reads it. Raises OSError."""
    kept = {name: session.get(name) for name in ("user_id", "access_token", "login_time")}
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, stat.S_IRUSR | stat.S_IWUSR)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"api_key": application, **kept}, file, default=str)
    beside.chmod(stat.S_IRUSR | stat.S_IWUSR)
    beside.replace(path)
