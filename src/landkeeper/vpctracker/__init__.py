"""VPC Tracker: knows every VPC of every account and region, and what their address blocks do to each other."""
