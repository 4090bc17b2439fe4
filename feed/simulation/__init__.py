"""The simulated market: factors, surfaces, quotes and trades, each a module of arrays."""
