"""A module of the tests that posts whatever it is told."""
