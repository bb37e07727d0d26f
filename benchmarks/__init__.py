"""What the performance figures are measured with."""
