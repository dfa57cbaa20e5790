"""The app: tabs and theme."""

from __future__ import annotations

import gradio as gr

from minrnn.library import Library
from minrnn.ui import compare, results, training, training_api

LEAD = """# minRNN: were RNNs all we needed?

Four small character-level language models of equal size, trained on the same text by the same code, continue
your prompt side by side: minGRU and minLSTM ([Feng et al. 2024](https://arxiv.org/abs/2410.01201)), the classical
LSTM, and nanoGPT.
"""


def build(shelf: Library) -> gr.Blocks:
    """The whole page, not yet launched."""
    demo: gr.Blocks = gr.Blocks(title="minRNN", analytics_enabled=False, delete_cache=(600, 3600))
    with demo:
        gr.Markdown(LEAD, elem_classes="lead")
        extra = gr.State([])
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare"):
                compare.build(shelf, extra)
            with gr.Tab("Train", id="train"):
                training.build(extra, tabs)
            with gr.Tab("Results", id="results"):
                results.build()
        compare.endpoints(shelf)
        training_api.endpoints()
        demo.unload(lambda: None)  # lets a closed page end its generators
    return demo
