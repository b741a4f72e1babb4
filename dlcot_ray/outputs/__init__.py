"""What a job leaves, and how it is read back."""
