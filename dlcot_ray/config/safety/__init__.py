"""What settings may not hold: credentials."""
