"""The facts of the market as files, and the reader that refuses a bad one with a sentence."""
