"""`python -m landkeeper` is the command."""

from landkeeper.cli import main

main()
