"""Settings: their defaults, loading and checks, and the judges and pools that they name."""
