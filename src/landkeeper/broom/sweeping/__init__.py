"""Sweep launches: judge, act, report, and come back later."""
