"""The app as app.py launches it, with small weights: python served_app.py WEIGHTS PORT."""

import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"

import torch

from minrnn.library import open_library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app

if __name__ == "__main__":
    torch.set_num_threads(1)
    demo = app.build(open_library(Path(sys.argv[1])), TrainingQueue())
    demo.queue(max_size=32)
    demo.launch(**app.launch_options(), server_port=int(sys.argv[2]), quiet=True)
