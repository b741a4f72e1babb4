"""The `learned` judge: structure by a small model that was trained on readings, labels by evidence."""
