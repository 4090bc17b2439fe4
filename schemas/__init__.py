"""Every shape once: settings, requests, responses and events, as marshmallow schemas."""
