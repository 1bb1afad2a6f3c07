"""Views that operators keep: a filter and an order of rows under a name.

A view is its operator's own: nobody else lists, changes or removes it. Whether its filter is understood shows when it
is opened: what records there are is not known here.
"""
