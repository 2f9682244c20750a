"""Decides what is missing from a record, measures it, writes it."""
