"""A study: what defines it, what a user holds, one pair, a newcomer."""
