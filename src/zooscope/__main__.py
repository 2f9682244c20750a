"""`python -m zooscope` is `zooscope`."""

from zooscope.cli import main

if __name__ == "__main__":
    main()
