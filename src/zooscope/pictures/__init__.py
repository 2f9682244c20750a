"""Analyses as pictures: what is shown first (`data`), drawing second (`draw`)."""
