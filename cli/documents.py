"""``python -m cli.documents FOLDER``: the documents of routes and streams as files, to make types of."""

from __future__ import annotations

import sys
from pathlib import Path

from domain.version import VERSION
from handlers.documents.handlers import Documents
from handlers.operations.application import HANDLERS


def write(folder: Path) -> None:
    """Write ``openapi.json`` and ``asyncapi.json``."""
    documents = Documents(HANDLERS, VERSION)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("openapi", documents.openapi_json), ("asyncapi", documents.asyncapi_json)):
        (folder / f"{name}.json").write_bytes(text)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
