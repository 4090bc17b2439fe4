"""The simulated market: each module one part of it, all on arrays.

`activity` and `hours` say how variance and volume go by, `factors` moves the underlyings, `surface` prices
their chains, `liquidity`, `quotes` and `trades` make the books, `settlement` and `listing` see to days and
expiries. `book` holds the contracts and `chains` refreshes them; `start`, `opening`, `backfill` and
`contracts_start` make what was before, from where an earlier run left off (`carried`); `scenarios` bends it
all. The parameters are in `feed/data/simulation.toml`.
"""
