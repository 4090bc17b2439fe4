"""The simulated market: each module one part of it, all on arrays. Read `source` first.

`activity` and `hours` say how variance and volume go by, `factors` moves the underlyings, `spots` says what
is published of them; `contracts` has their chains. `start` and `past` make what was before, from where an
earlier run left off; `scenarios` bends it all. The parameters are in `simulation.toml`.
"""
