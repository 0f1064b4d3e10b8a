"""What every connector shares: declarations, windows, HTTP, limits, landing, privacy."""
