"""A VPC made of a pool's block: its plan, and what carries it out."""
