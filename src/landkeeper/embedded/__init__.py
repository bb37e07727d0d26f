"""AWS on a laptop: simulators, the CloudTrail writer, a sample organization, and the SQLite store."""
