"""What prices mean: chains with Greeks, dashboards, the figures of a minute. Read `chain` first."""
