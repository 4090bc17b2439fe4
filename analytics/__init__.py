"""Option analytics: pure functions on NumPy arrays, no I/O, no clock, no framework."""
