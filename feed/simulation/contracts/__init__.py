"""Option chains of the simulated market. Read `chains` first.

`surface` prices the chains, `liquidity`, `quotes` and `trades` make the books, `settlement` and `listing` see
to days and expiries; `book` holds the contracts, `start` says what they were before.
"""
