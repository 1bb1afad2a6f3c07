"""Sync: devices that work alone and tell a central store later, over HTTP.

A device runs a command at once and keeps it as pending; central runs it again and has the last word; the device then
takes central's rows and runs again what is still pending. Read docs/sync.md, then `rebase.py`, `push.py`, `feed.py`.

Invariants
- An operation that central has acknowledged is never lost, and none is applied twice.
- A device holds the rows that its operator may see, and no other.
- What central refuses is kept on the device with the reason until a person has dealt with it.
"""
