"""Wiring: the only room that chooses between AWS and embedded, one module for each product."""
