"""Who may do what: origins, keys, addresses, limits, and what a refusal says. Read `rules` first."""
