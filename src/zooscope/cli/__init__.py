"""The command line: parse, call, print. Everything in it is also available in Python."""


def main() -> None:
    """Runs `zooscope`."""
    from zooscope.cli.app import app
    from zooscope.cli.completion import words_of_bash

    with words_of_bash():
        app(prog_name="zooscope")
