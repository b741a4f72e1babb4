"""How good a judge is: cases and annotations in, figures with confidence intervals out. No I/O, no Ray."""
