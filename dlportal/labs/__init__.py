"""The inside of the laboratories: what they compute, without any interface."""
