"""Who made a call, by the names that people know."""
