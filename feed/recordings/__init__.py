"""Recorded option chains: files of several shapes, decoded into one sequence of frames."""
