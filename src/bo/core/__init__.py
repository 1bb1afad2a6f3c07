"""The office itself: records, rules and commands. It knows no screen and no HTTP."""
