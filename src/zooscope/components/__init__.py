"""The 13 components of an architecture: their vocabulary, the paper's table, and reading them from a network."""
