"""One module per kind of label set: what is counted per case, the measures, and which cases are worst."""
