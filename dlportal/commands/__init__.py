"""What the command line does; `dlportal.cli` only parses and prints."""
