"""The past before the first record, as a source knows it, laid where the store lacks it. Read `backfill`."""
