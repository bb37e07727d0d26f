"""Landkeeper looks after an AWS landing zone: VPC Tracker knows every VPC, Broom deals with every untagged launch."""

__version__ = "0.1.0"
