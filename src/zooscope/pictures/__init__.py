"""Analyses as pictures: first the data to show (`data`), then drawing it (`draw`)."""
