"""Streams: state, rooms, the cycle that brings clients to the present. Read `state`, then `broadcaster`."""
