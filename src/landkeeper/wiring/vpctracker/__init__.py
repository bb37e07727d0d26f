"""VPC Tracker's wiring: for the command, for its functions, for pools and vending."""
