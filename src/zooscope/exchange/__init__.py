"""Export and import: tables and predictions written for other programs, published matrices read."""
