"""Blocks and networks that two or more cases share."""
