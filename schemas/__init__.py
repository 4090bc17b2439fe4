"""What passes between server and clients: every shape once. Read `requests` and `envelope` first."""
