"""The app with the options of app.py, small weights and no process that writes: python served_app.py WEIGHTS PORT."""

import os
import sys
from pathlib import Path

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"

import torch

from minrnn.library import open_library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui import app
from minrnn.ui.listeners import Listeners

if __name__ == "__main__":
    torch.set_num_threads(1)
    demo = app.build(open_library(Path(sys.argv[1])), TrainingQueue(), None, listeners := Listeners())
    demo.queue(max_size=None)
    demo.launch(**app.launch_options(listeners), server_port=int(sys.argv[2]), quiet=True)
