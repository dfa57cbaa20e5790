"""The command line: one command a file, each with a function `main(words)`. Flags are dataclasses, read by tyro."""
