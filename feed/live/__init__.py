"""Sources over brokers: a core that knows none of them, and a module for each."""
