"""AWS on a laptop: simulators, the CloudTrail writer, a sample organisation, and the SQLite store."""
