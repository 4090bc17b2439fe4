"""The edge: REST, streams and what a long-lived server needs around them. Read `rest` and `streams` first."""
