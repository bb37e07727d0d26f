"""Notices: what is new in the tracker, and telling it once."""
