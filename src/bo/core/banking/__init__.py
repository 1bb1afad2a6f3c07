"""Banking: what banks and payment channels say happened, taken in from their files and kept line by line.

Owns bank statements, their lines, and the readers of their formats. A statement whose balances do not add up is
refused; a line that is known is not taken in twice. Above everything that money moves for, below import and export.
"""
