"""The rooms' way to AWS: sessions, paging, retries, and errors turned into values."""
