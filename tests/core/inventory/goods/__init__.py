"""Variants as the catalog has them, made by one command, so that stock is tested without the catalog's own."""
