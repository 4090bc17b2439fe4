"""What every layer above tells: the log, and how late the loop runs."""
