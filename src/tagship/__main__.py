"""Run `python -m tagship`."""

from tagship.cli import main

if __name__ == "__main__":
    main(prog_name="tagship")
