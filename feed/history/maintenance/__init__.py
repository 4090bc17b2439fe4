"""What keeps a store in order, and whether it is sound. Read `upkeep` first."""
