"""Builds the app and launches it; a Space runs this file."""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import torch

from minrnn.library import open_library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app


def main() -> None:
    """Load the models, build the page, serve it."""
    torch.set_num_threads(1)  # decoding steps are too small to share, and a training may have the other cores
    demo = app.build(open_library(), TrainingQueue())
    demo.queue(max_size=32)
    demo.launch(**app.launch_options())


if __name__ == "__main__":
    main()
