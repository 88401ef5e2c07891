"""OpenCL: the dialect and its writer, the reader's headers, the runtime."""
