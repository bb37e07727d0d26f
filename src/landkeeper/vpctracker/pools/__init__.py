"""Pools of addresses: what they are, what is done with them, what is taken in them."""
