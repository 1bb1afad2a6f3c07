"""A small office of tickets and shops, on which the kernel is tested without any business module."""
