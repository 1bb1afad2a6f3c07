"""Orders: what was bought, what was paid for it, and what has been sent.

Owns Order, OrderLine, Payment, Refund, Fulfilment, OrderException, ExceptionRule.

Invariants
- Status and payment status are derived from lines and payments at every change, and never set by hand.
- fulfilled <= ordered - cancelled, for every line; returned <= fulfilled.
- Captured is the sum of the payments, refunded that of the refunds that are done.
- Refunds pending and done never exceed what a payment has captured; shipping is refunded once.
- What is held is not sent.
- Lines keep the name and price of the day they were bought.
"""
