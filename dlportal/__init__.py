"""DL Portal: deep learning in practice, as live cases that can be tried and checked."""

__version__ = "0.1.0"
