"""The command line: what it answers, what it exits with, and what it leaves alone."""
