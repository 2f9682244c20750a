"""Named networks from pixels in [0, 1] to logits, and where they come from."""
