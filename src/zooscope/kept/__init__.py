"""Attacked images that are kept, so that they need not be made again."""
