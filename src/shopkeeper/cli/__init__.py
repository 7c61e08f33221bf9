"""The command line: every operation as a command, and the few that only a terminal has."""
