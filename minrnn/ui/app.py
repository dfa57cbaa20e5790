"""The app: tabs, and what they share."""

from __future__ import annotations

from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from minrnn import settings
from minrnn.library import Library
from minrnn.runs.queue import TrainingQueue
from minrnn.serving.writers import Writers
from minrnn.ui import head, theme
from minrnn.ui.compare import address
from minrnn.ui.compare import api as compare_api
from minrnn.ui.compare import tab as compare
from minrnn.ui.compare.writing import Served
from minrnn.ui.components import PLOTLY_ADDRESS, PLOTLY_JS
from minrnn.ui.door.blocks import Page
from minrnn.ui.door.routes import Door
from minrnn.ui.door.sessions import lifespan
from minrnn.ui.inside import api as inside_api
from minrnn.ui.inside import tab as inside
from minrnn.ui.listeners import Listeners, Slots
from minrnn.ui.results import tab as results
from minrnn.ui.tasks import api as tasks_api
from minrnn.ui.tasks import tab as tasks
from minrnn.ui.train import api as train_api
from minrnn.ui.train import tab as train
from minrnn.ui.visitor import visitor

MAX_THREADS = 400
"""Events at once, waiting generations among them; those hold no thread, and threads begin when they are needed."""


def build(
    library: Library,
    queue: TrainingQueue,
    writers: Writers | None = None,
    listeners: Listeners | None = None,
) -> gr.Blocks:
    """The whole page, not yet launched.

    Args:
        library: the models at hand.
        queue: the training runs of this machine.
        writers: what writes the texts; a thread of this process if None.
        listeners: who listens to them; it must be the one that `launch_options` is given.
    """
    served = Served(writers or Writers(), listeners or Listeners())
    slots = Slots(served.listeners)
    demo: gr.Blocks = Page(title=head.TITLE, analytics_enabled=False, delete_cache=(600, 3600))
    with demo:
        gr.HTML("minRNN", elem_id="brand", apply_default_css=False)
        copy = gr.Button("Copy link", elem_id="copy-link", size="sm")
        extra, looking = gr.State([]), visitor()
        with gr.Tabs() as tabs:
            with gr.Tab("Compare", id="compare") as first:
                fields = compare.build(library, served, extra, copy)
            with gr.Tab("Inside", id="inside") as second:
                inside.build(library, slots)
            with gr.Tab("Tasks", id=tasks.ID) as third:
                tasks.build(queue, looking, slots)
            with gr.Tab("Train", id="train") as fourth:
                train.build(queue, looking, extra, tabs)
            with gr.Tab("Results", id="results") as fifth:
                results.build()
        for tab in (first, second, third, fourth, fifth):
            tab.select(None, None, None, js=f"() => window.minrnn.showTab('{tab.id}')")
        address.link(fields, tabs, library)
        compare_api.endpoints(library, served)
        inside_api.endpoints(library, slots)
        tasks_api.endpoints()
        train_api.endpoints(queue)
        demo.unload(lambda: None)  # lets a closed page end its generators
    return demo


def launch_options(listeners: Listeners | None = None) -> dict[str, Any]:
    """Arguments of `Blocks.launch` that make the page what it is, and keep strangers to what it needs.

    Args:
        listeners: told of every connection on which somebody waits for an answer.
    """
    noticing = [Middleware(listeners.middleware)] if listeners else []
    files = {f"/{PLOTLY_ADDRESS}": PLOTLY_JS, f"/{head.PREVIEW_ADDRESS}": head.PREVIEW}
    return {
        "max_threads": MAX_THREADS,
        "theme": theme.theme(),
        "css": theme.CSS,
        "favicon_path": str(head.FAVICON),
        "app_kwargs": {
            "middleware": [Middleware(Door, files=files), Middleware(head.PageHead), *noticing],
            "lifespan": lifespan,
        },
        "max_file_size": max(1, settings.max_upload_bytes()),
        "state_session_capacity": settings.max_pages(),
        "enable_monitoring": False,
        "ssr_mode": False,
        "footer_links": ["api", "settings"],
        "run_history": False,
    }
