"""The app: tabs and theme."""

from __future__ import annotations

import gradio as gr

from minrnn.library import Library
from minrnn.runs.queue import TrainingQueue
from minrnn.ui.compare import api as compare_api
from minrnn.ui.compare import tab as compare
from minrnn.ui.results import tab as results
from minrnn.ui.train import api as train_api
from minrnn.ui.train import tab as train

LEAD = """# minRNN: were RNNs all we needed?

Small character-level language models of equal size, trained on the same text, continue your prompt side by side:
minGRU and minLSTM ([Feng et al. 2024](https://arxiv.org/abs/2410.01201)), the classical LSTM, and nanoGPT.
"""


def build(library: Library, queue: TrainingQueue) -> gr.Blocks:
    """The whole page, not yet launched.

    Args:
        library: the models at hand.
        queue: the training runs of this machine.
    """
    demo: gr.Blocks = gr.Blocks(title="minRNN", analytics_enabled=False, delete_cache=(600, 3600))
    with demo:
        gr.Markdown(LEAD, elem_classes="lead")
        extra = gr.State([])
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare"):
                compare.build(library, extra)
            with gr.Tab("Train", id="train"):
                train.build(queue, extra, tabs)
            with gr.Tab("Results", id="results"):
                results.build()
        compare_api.endpoints(library)
        train_api.endpoints(queue)
        demo.unload(lambda: None)  # lets a closed page end its generators
    return demo
