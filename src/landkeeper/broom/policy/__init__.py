"""The tag policy: its rules, its file, AWS's own forms of it, and what it says of a launch."""
