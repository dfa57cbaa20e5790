"""A call as a page or a script sends it, read before Gradio reads it: a stranger may send anything to any function.

Gradio answers what it does not expect with the value itself, or with a traceback. Here each fault ends in one
sentence. What a field may hold is for its component and its handler to say.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any, TypeGuard

import gradio as gr
from gradio.block_function import BlockFunction

from minrnn import settings
from minrnn.checked import shown
from minrnn.ui.door.refusal import Refusal

_STRINGS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
"""Also one that does not end, or each of its quotes would be looked at anew."""
_HALF_ESCAPE, _HALVES = re.compile(rb"\\u[dD][89a-fA-F]"), re.compile("[\ud800-\udfff]")
"""What may be half of a surrogate pair before the JSON is read, and what is one afterwards."""
_AT_ONCE = 65_536
"""Bytes of a body that are read at once; while a larger one is read, the others go on."""
_BEGIN, _END = (b",", b"[", b"{"), (b"]", b"}")
_SESSION = re.compile(rf"[\w.:-]{{1,{settings.MAX_SESSION_CHARS}}}", re.ASCII)
Body = dict[str, Any]


def check_session(name: object) -> str:
    """The name of a page, as Gradio's clients make them up.

    Raises:
        Refusal: for anything else.
    """
    if isinstance(name, str) and _SESSION.fullmatch(name):
        return name
    raise Refusal(
        400,
        f"session_hash is {shown(name)}; it must be 1 to {settings.MAX_SESSION_CHARS} letters and digits.",
    )


def read(body: bytes) -> tuple[Body, bytes]:
    """The JSON object of a body, and the body without halves of surrogate pairs, which no answer can hold.

    Raises:
        Refusal: if it is none, or holds too much.
    """
    _check_structure(body)
    try:
        data = json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        what = f"{error}" if len(str(error)) < 100 else type(error).__name__
        raise Refusal(400, f"the request is not JSON in UTF-8 ({what}); send a JSON object.") from None
    if not isinstance(data, dict):
        raise Refusal(400, f"the request is a {type(data).__name__}; send a JSON object.")
    limit = settings.max_request_chars()
    if (chars := _characters(data)) > limit:
        raise Refusal(
            413,
            f"the texts of the request have {chars:,} characters and the limit here is {limit:,}; shorten them.",
        )
    if _HALF_ESCAPE.search(body):
        data = _whole(data)
        body = json.dumps(data, ensure_ascii=False).encode()
    return data, body


async def read_aside(body: bytes) -> tuple[Body, bytes]:
    """As `read`, but a large body is read in a thread, so that nobody waits for it.

    Raises:
        Refusal: as `read`.
    """
    return read(body) if len(body) <= _AT_ONCE else await asyncio.to_thread(read, body)


def check_call(blocks: gr.Blocks, body: Body, name: str, *, queued: bool) -> None:
    """A call of a function by name or by number.

    Args:
        blocks: the page.
        body: what was sent.
        name: the endpoint in the address; empty where the body has the number of a function.
        queued: whether the call joins the queue.

    Raises:
        Refusal: if there is no such function, or it takes something else.
    """
    if not name or body.get("session_hash") is not None:
        check_session(body.get("session_hash"))
    for field in ("event_id", "oauth_token"):
        _check(
            body,
            field,
            lambda value: value is None or (isinstance(value, str) and len(value) < 200),
            "a short text",
        )
    _check(body, "trigger_id", lambda value: value is None or _is_number(value), "a component's number")
    for field in ("simple_format", "batched"):
        _check(body, field, lambda value: value in (None, False), "left out")
    fn = _named(blocks, name) if name else _numbered(blocks, body.get("fn_index"))
    if fn.queue and not queued:
        raise Refusal(
            404, f"{_title(fn)} waits its turn in the queue; post to /gradio_api/call/NAME instead."
        )
    data = body.get("data")
    counts = {len(fn.inputs), len([part for part in fn.inputs if not part.skip_api])}
    if not isinstance(data, list) or len(data) not in counts:
        has = f"{len(data)} values" if isinstance(data, list) else shown(data)
        raise Refusal(422, f"data is {has}; {_title(fn)} takes a list of {min(counts)}.")


def check_named(blocks: gr.Blocks, body: Body, name: str) -> None:
    """A call of an endpoint whose parameters are named.

    Raises:
        Refusal: if there is no such endpoint or parameter, or one is missing.
    """
    known = blocks.get_api_info()["named_endpoints"]
    if f"/{name}" not in known:
        raise Refusal(404, f"there is no endpoint {shown(name)}; choose one of: {', '.join(known)}.")
    parameters = known[f"/{name}"]["parameters"]
    names = [str(parameter["parameter_name"]) for parameter in parameters]
    if unknown := [key for key in body if key not in names and key != "oauth_token"]:
        raise Refusal(
            422, f"/{name} has no parameter {shown(unknown[0])}; it takes {', '.join(names) or 'none'}."
        )
    needed = (str(p["parameter_name"]) for p in parameters if not p.get("parameter_has_default"))
    if missing := [key for key in needed if key not in body]:
        raise Refusal(422, f"{missing[0]} is missing; /{name} takes {', '.join(names)}.")
    _check(body, "oauth_token", lambda value: value is None or isinstance(value, str), "a text")


def check_component(blocks: gr.Blocks, body: Body) -> None:
    """A question of a component's script to its function on the server.

    Raises:
        Refusal: if there is no such function.
    """
    check_session(body.get("session_hash"))
    at, name = body.get("component_id"), body.get("fn_name")
    block = blocks.blocks.get(at) if _is_number(at) else None
    if (
        block is None
        or not isinstance(name, str)
        or not getattr(getattr(block, name, None), "_is_server_fn", False)
    ):
        raise Refusal(404, f"component {shown(at)} has no function {shown(name)} here; reload the page.")
    if "data" not in body:
        raise Refusal(422, "data is missing; send what the function shall get.")


def check_cancel(blocks: gr.Blocks, body: Body) -> None:
    """The wish of a client to end what it began.

    Raises:
        Refusal: for fields that cannot be.
    """
    check_session(body.get("session_hash"))
    _numbered(blocks, body.get("fn_index"))
    check_event(blocks, body)


def check_event(blocks: gr.Blocks, body: Body) -> None:
    """The name of an event. Raises Refusal for anything else."""
    _check(body, "event_id", lambda value: isinstance(value, str) and len(value) < 200, "a short text")


def _named(blocks: gr.Blocks, name: str) -> BlockFunction:
    public = {fn.api_name: fn for fn in blocks.fns.values() if fn.api_visibility == "public" and fn.api_name}
    if name not in public:
        known = ", ".join(f"/{key}" for key in public)
        raise Refusal(404, f"there is no endpoint {shown(name)}; choose one of: {known}.")
    return public[name]


def _numbered(blocks: gr.Blocks, number: object) -> BlockFunction:
    fn = blocks.fns.get(number) if _is_number(number) else None
    if fn is None or fn.fn is None:
        raise Refusal(404, f"fn_index is {shown(number)}; this page has no such function. Reload it.")
    return fn


def _title(fn: BlockFunction) -> str:
    return f"/{fn.api_name}" if fn.api_name and fn.api_visibility == "public" else f"function {fn._id}"


def _is_number(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 10**9


def _check(body: Body, field: str, fits: Callable[[Any], bool], wanted: str) -> None:
    if not fits(body.get(field)):
        raise Refusal(422, f"{field} is {shown(body.get(field))}; it must be {wanted}.")


def _whole(data: Any) -> Any:
    """Plain data whose texts hold no half of a surrogate pair."""
    if isinstance(data, str):
        return _HALVES.sub("\ufffd", data)
    if isinstance(data, dict):
        return {_whole(key): _whole(value) for key, value in data.items()}
    return [_whole(value) for value in data] if isinstance(data, list) else data


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _check_structure(body: bytes) -> None:
    """Refuse a body that is small to send and large to hold, or slow to read. No step here is made once a byte."""
    most = settings.MAX_REQUEST_VALUES
    plain, strings = _STRINGS.subn(b"", body, count=2 * most + 1)  # each value may have a name
    if strings > 2 * most or max(sum(map(plain.count, kind)) for kind in (_BEGIN, _END)) > most:
        raise Refusal(413, f"the request holds more than {most:,} values; send fewer.")
    depth = deepest = 0
    for char in re.findall(rb"[\[\]{}]", plain):
        depth += 1 if char in b"[{" else -1
        deepest = max(deepest, depth)
    if deepest > settings.MAX_REQUEST_DEPTH:
        raise Refusal(
            400, f"the request nests deeper than {settings.MAX_REQUEST_DEPTH} levels; send plain values."
        )


def _characters(data: object) -> int:
    """The characters of all texts in plain data."""
    if isinstance(data, str):
        return len(data)
    if isinstance(data, dict):
        return sum(map(_characters, data)) + sum(map(_characters, data.values()))
    return sum(map(_characters, data)) if isinstance(data, list) else 0
