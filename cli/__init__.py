"""What stands between a command line and the program."""
