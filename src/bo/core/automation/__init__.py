"""Automation: what an office does by itself. When an operation was done, if its record meets a filter, then a command.

Owns AutomationRule and Notification. What became of each call that a rule made is kept in the table `caused`.

Invariants
- A rule's command is an ordinary operation, with the rights its author has at that moment, and with its cause.
- An operation, a rule and a record come together once, whoever looks, however often, and wherever the power fails.
- Rules run where the word is final and nowhere else: never on a device.
- A chain of causes ends: it is at most eight long, and no rule meets the same record twice in one.
- A refused follow-up changes nothing, is kept with its reason, and holds up no other.
"""
