"""Files into a store and out of it: what the command line works on. Read `archive` first."""
