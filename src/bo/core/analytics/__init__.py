"""Figures of the whole office, with the same figure of the period before, and the filter that lists what they count.

It owns no records. It shows each operator what they may read and leaves the rest out.
"""
