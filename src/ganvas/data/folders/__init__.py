"""The user's own folders and zips."""
