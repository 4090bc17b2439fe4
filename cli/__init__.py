"""The command line, a module for each command. Read `serve` first."""
