"""What the simulated market went through before its start. Read `backfill` first."""
