"""Reads the 13 components of any network from one traced forward pass."""
