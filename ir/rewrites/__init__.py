"""Rewrites: pure functions from program to program, each run through `ir.validate` in the tests."""
