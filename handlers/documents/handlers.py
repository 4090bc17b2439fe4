"""The routes that serve the documents."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import orjson

from handlers.access.rate_limit import CHEAP
from handlers.access.rules import AccessRules
from handlers.documents.page import render_page
from handlers.rest.base import ApiHandler
from handlers.rest.services import Services
from schemas.documents.asyncapi import asyncapi_document
from schemas.documents.openapi import JSON, RouteDescription, openapi_document
from schemas.documents.routes import HTML, ROUTES


class Documents:
    """What is generated from the schemas and the tables of routes and events, each when first asked for."""

    def __init__(self, handlers: Mapping[str, type[ApiHandler]], version: str) -> None:
        self._handlers = handlers
        self._version = version

    @cached_property
    def openapi(self) -> dict[str, Any]:
        """The routes."""
        descriptions = [
            RouteDescription(
                route.path,
                self._handlers[route.path].methods,
                self._handlers[route.path].needs_key,
                route.operation,
            )
            for route in ROUTES
        ]
        return openapi_document(descriptions, self._version)

    @cached_property
    def asyncapi(self) -> dict[str, Any]:
        """The events."""
        return asyncapi_document(self._version)

    @cached_property
    def openapi_json(self) -> bytes:
        """The routes, encoded."""
        return orjson.dumps(self.openapi)

    @cached_property
    def asyncapi_json(self) -> bytes:
        """The events, encoded."""
        return orjson.dumps(self.asyncapi)

    @cached_property
    def page(self) -> bytes:
        """Both, for people."""
        return render_page(self.openapi, self.asyncapi).encode()


class DocumentHandler(ApiHandler):
    """A document: it changes with the server's version only, and needs no key to be read in a browser."""

    needs_key = False
    cost = CHEAP

    def initialize(self, services: Services, access: AccessRules, documents: Documents) -> None:  # type: ignore[override]
        """Take the documents too."""
        super().initialize(services, access)
        self.documents = documents

    def answer(self, body: bytes, content_type: str) -> None:
        """Answer with a document, or with 304 to who has it."""
        self.no_arguments()
        self.finish_unchanging(body, f"{content_type}; charset=UTF-8")


class OpenApiHandler(DocumentHandler):
    """``/api/openapi.json``."""

    def get(self) -> None:
        """Answer with the routes."""
        self.answer(self.documents.openapi_json, JSON)


class AsyncApiHandler(DocumentHandler):
    """``/api/asyncapi.json``."""

    def get(self) -> None:
        """Answer with the events."""
        self.answer(self.documents.asyncapi_json, JSON)


class DocsHandler(DocumentHandler):
    """``/api/docs``."""

    def get(self) -> None:
        """Answer with the page; it may load nothing."""
        self.set_page_headers()
        self.answer(self.documents.page, HTML)
