"""`python -m dlportal`."""

from dlportal.cli import main

if __name__ == "__main__":
    main(prog_name="python -m dlportal")
