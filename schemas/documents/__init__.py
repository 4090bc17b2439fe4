"""Schemas as documents: OpenAPI, AsyncAPI, JSON Schema."""
