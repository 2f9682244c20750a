"""What has been measured, in SQLite: the only thing that lasts. Nothing here needs torch."""
