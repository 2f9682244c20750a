"""One file per section of the report: its data."""
