"""What can be computed about a text without a model: answers, arithmetic, equality, loops."""
