"""From the bytes of CloudTrail's log files to launches, and to what changed them."""
