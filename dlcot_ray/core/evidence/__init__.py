"""What can be computed about a trace without asking anybody."""
