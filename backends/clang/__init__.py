"""clang as the parser of every C-like language: run it, read its typed JSON AST, lower that into the IR."""
