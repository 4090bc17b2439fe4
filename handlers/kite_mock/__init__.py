"""The market behind the wire of Zerodha's Kite Connect, for programs that were written for that."""
