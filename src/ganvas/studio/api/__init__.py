"""What the page can ask for, under /api/."""
