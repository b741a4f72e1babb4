"""What answers mean: notation, numbers, units, times, bases, sets and tuples, each with an exact comparison."""
