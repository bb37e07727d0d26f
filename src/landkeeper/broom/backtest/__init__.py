"""A policy against the past: what was done to instances, replayed at Broom's times, summed up."""
