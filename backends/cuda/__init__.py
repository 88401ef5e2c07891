"""CUDA: the reader, and the runtime through CuPy."""
