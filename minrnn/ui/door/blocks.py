"""A page whose components refuse what they cannot read in one sentence, where Gradio prints a traceback."""

from __future__ import annotations

import logging
from typing import Any

import gradio as gr
from gradio.block_function import BlockFunction
from gradio.blocks import Block
from gradio.state_holder import SessionState

from minrnn.checked import shown
from minrnn.settings import MAX_MESSAGE_CHARS

_LOG = logging.getLogger(__name__)
_LARGEST = 2**53
"""The largest whole number that a page's script can name; no answer can hold one of more than 64 bits."""


class Page(gr.Blocks):
    """`gr.Blocks` for strangers: they may send anything to any function, private ones included."""

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[Any],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[Any]:
        """The values of a call as its function takes them.

        Raises:
            gr.Error: for values that the components do not take.
        """
        try:
            self.validate_inputs(block_fn, inputs)
            fitting = [_fitting(block, value) for block, value in zip(block_fn.inputs, inputs, strict=False)]
            found: list[Any] = await super().preprocess_data(block_fn, fitting, state, explicit_call)
        except gr.Error as error:  # such as a choice that is not offered
            raise gr.Error(error.message[:MAX_MESSAGE_CHARS], print_exception=False) from None
        except Exception as error:
            _LOG.debug("a call could not be read", exc_info=error)
            values = ", ".join(shown(value) for value in inputs[:8])
            raise gr.Error(f"{values} cannot be read here; reload the page.", print_exception=False) from None
        return found


def _fitting(block: Block, value: Any) -> Any:
    """A value of the type that a component of the page sends: Gradio's components take others, too.

    Raises:
        gr.Error: for another type.
    """
    if isinstance(block, gr.Textbox | gr.BrowserState):
        fits, wanted = value is None or isinstance(value, str), "a text"
        value = "" if value is None else value
    elif isinstance(block, gr.Number | gr.Slider):
        empty = value is None and isinstance(block, gr.Number)
        fits, wanted = empty or _is_number(value), "a number"
    elif isinstance(block, gr.Checkbox):
        fits, wanted = isinstance(value, bool), "true or false"
    elif isinstance(block, gr.CheckboxGroup) or (isinstance(block, gr.Dropdown) and block.multiselect):
        fits, wanted = (
            isinstance(value, list) and all(isinstance(key, str) for key in value),
            "a list of texts",
        )
    elif isinstance(block, gr.Radio | gr.Dropdown):
        fits, wanted = isinstance(value, str | int), "one of its choices"
    else:  # a State, whose value is not sent; a parameter of an endpoint, which its function checks; a file
        return value
    if not fits:
        name = getattr(block, "label", None) or type(block).__name__
        raise gr.Error(f"{name} is {shown(value)}; it must be {wanted}.", print_exception=False)
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= _LARGEST
