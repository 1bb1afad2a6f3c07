"""The catalog: what is sold. Products, their variants, categories and pictures.

Owns Product, Variant, Category, Media.

Invariants
- A handle stands for one product; the values of its options for one variant of a product.
- A SKU should stand for one variant. Files of real shops break that, so a double is taken in, told by `catalog lint`,
  and never chosen by guess: what names it must say which.
- What was sold keeps its name and price on the order: changing or archiving a product rewrites no history.
"""
