"""`python -m minrnn`."""

from minrnn.cli import main

if __name__ == "__main__":
    main()
