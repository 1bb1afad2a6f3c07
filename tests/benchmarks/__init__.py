"""Figures that are promised, measured."""
