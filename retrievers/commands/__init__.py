"""The commands of the command line: what each takes, what it calls, and how it prints what comes of it."""
