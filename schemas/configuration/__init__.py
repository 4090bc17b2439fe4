"""The settings: their fields, the places they come from, API keys."""
