"""The one mutable market and what moves it: read `market`, then `source` and `ticker`."""
