"""The 13 components read off any network: its modules and one traced pass."""
