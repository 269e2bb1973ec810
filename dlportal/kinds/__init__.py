"""Kinds of input: what every picture, text, table row or sound case has in common."""
