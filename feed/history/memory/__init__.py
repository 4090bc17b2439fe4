"""The latest day in memory: what is answered without a disk. Read `running` first."""
