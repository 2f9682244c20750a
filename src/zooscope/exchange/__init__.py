"""A study for and from others: tables and predictions written down, published matrices read."""
