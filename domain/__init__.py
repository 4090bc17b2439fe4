"""The ground floor: what both the market and the wire must know, each once. It imports nothing of ours.

Read `instruments`, `intervals` and `streams` first. Every name out of a fixed list is an enum here, so that
settings, requests, documents and the market take their choices from one place.
"""
