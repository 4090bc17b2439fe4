"""What was: recorded beside the market and answered later. Read `history`, then `recorder` and `answers`."""
