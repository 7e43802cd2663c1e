"""What lies in a run folder."""
