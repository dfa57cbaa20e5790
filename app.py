"""Builds the app and launches it; a Space runs this file.

The imports stand inside: where a process that writes texts cannot be forked, it reads this file again and needs none.
"""

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Gradio keeps the times of 10,000 calls and goes through all of them after each; nobody here reads them.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))


def main() -> None:
    """Load the models, start what writes with them, build the page, serve it."""
    import torch

    from minrnn import settings
    from minrnn.library import open_library
    from minrnn.serving.writers import Writers

    torch.set_num_threads(1)  # decoding steps are too small to share, and a training may have the other cores
    library = open_library()
    with Writers(library.first_models(), settings.writers(), settings.max_visitors()) as writers:
        from minrnn.runs.queue import TrainingQueue
        from minrnn.ui import app
        from minrnn.ui.listeners import Listeners

        demo = app.build(library, TrainingQueue(), writers, listeners := Listeners())
        demo.queue(max_size=None)
        demo.launch(**app.launch_options(listeners))


if __name__ == "__main__":
    main()
