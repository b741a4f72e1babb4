"""The model judge's engine: vLLM, the same code on CUDA and on the CPU build. Only here is vllm imported."""
