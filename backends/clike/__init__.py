"""Writing C-like languages from the IR: one expression and one statement printer, dialects as tables."""
