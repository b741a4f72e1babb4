"""How good a judge is: labelled cases in, figures with confidence intervals out; no I/O, no Ray."""
