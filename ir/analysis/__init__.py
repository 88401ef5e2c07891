"""Analyses: what is true of a program, without changing it."""
