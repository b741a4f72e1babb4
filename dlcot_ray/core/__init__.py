"""Pure facts and functions: traces, segments, annotations, edits, policies, evidence. No I/O."""
