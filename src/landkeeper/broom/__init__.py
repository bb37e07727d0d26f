"""Broom: checks every instance that was launched against a tag policy, and deals with the ones that break it."""
