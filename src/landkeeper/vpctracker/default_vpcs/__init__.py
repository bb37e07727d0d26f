"""Default VPCs: whether one is in use, and how it goes."""
