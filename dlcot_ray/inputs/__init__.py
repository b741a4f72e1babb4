"""From the user's files to traces."""
