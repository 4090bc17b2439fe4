"""What it costs to share a market among processes, and to keep years of it."""
