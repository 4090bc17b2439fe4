"""Where prices come from, and the one mutable market."""
