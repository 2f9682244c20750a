"""The command line: parse, call, print. Everything that it does can be done in Python, too."""


def main() -> None:
    """Runs `zooscope`."""
    from zooscope.cli.app import app

    app()
