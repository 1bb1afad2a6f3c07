"""Whole stories, told through `bo` alone."""
