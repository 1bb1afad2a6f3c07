"""What the project is tended with; no part of the product."""
