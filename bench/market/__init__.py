"""The simulated market as figures and pictures beside a real one, and what a tick of it costs."""
