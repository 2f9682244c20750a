"""The command line: parse, call, print. Everything in it is also available in Python."""


def main() -> None:
    """Runs `zooscope`."""
    from zooscope.cli.app import app

    app()
