"""Bytes in and out: Engine.IO over Tornado, connections, TLS, the loop. Read `endpoint` first."""
