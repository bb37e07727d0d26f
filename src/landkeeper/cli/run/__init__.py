"""What the commands do, imported when they run: a module for each declaration beside it."""
