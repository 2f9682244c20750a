"""Where classifiers come from, one file per provider."""
