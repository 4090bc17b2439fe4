"""Benchmarks: ``make bench``, or ``python -m bench --help``. None of them is part of the tests."""
