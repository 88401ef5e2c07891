"""HIP: dialect, writer and reader."""
