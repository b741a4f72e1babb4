"""The rules judge: structure from cues, labels from evidence, clusters from vocabulary; deterministic."""
