"""Metal through MLX: the reader, the writer, the runtime."""
