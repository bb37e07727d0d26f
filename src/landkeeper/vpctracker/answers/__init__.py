"""What the stored VPCs answer: which overlap, what reaches what, how fresh that is."""
