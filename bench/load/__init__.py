"""Crowds of clients against a server, measured by the CPU that it took."""
