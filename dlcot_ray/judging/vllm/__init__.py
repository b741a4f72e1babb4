"""The model judge on vLLM, the same code on CUDA and on the CPU build. vLLM is imported in this room only."""
