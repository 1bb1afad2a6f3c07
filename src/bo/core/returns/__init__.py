"""Returns: goods that customers send back, and what they get for them.

Owns CustomerReturn, Credit.

Invariants
- No more comes back of a line than was sent, whatever is asked for in how many requests.
- What came back is worth its share of what was paid for the goods; all of it together exactly that.
- A return is settled once: by a refund, by store credit, or by an exchange. Money that is settled leaves the payments
  of its order, so that nothing is given back twice.
- The balance of a customer's credit is the sum of its entries, is never below nothing, and entries never change.
"""
