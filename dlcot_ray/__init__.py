"""Turn raw long chain-of-thought traces into better distillation data, at any scale."""

__version__ = "0.1.0"
