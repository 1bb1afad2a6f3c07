"""The screen: a table to live in, driven by keys. It owns no data and no rule; both come through `source.py`."""
