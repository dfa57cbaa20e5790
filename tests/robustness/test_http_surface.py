"""The app's addresses and functions over real HTTP, private ones included: whatever is sent, one clear answer."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.robustness.outside import texts, values
from tests.robustness.served import Served, is_clear

REFUSED_TRAINING = {"models": "lstm", "corpus": "no-such-text", "text": "short", "token": "t" * 16}
"""Each of these is refused whichever single field is replaced, so that no case begins a training."""
CLICK = {"action": "show", "run": "x", "title": "", "iters": 0}
LONG = {"generate", "write", "inside", "read"}
LOOKS = ("partial", "look", "do", "_token")
"""Functions whose right results may be long."""


class Functions:
    """The functions of a page, and values that each of them takes."""

    def __init__(self, app: Served) -> None:
        config = app.config
        self.all = [fn for fn in config["dependencies"] if fn["backend_fn"]]
        self._parts = {part["id"]: part for part in config["components"]}
        self._endpoints = json.loads(app.send("GET", "/gradio_api/info")[1])["named_endpoints"]

    def is_token(self, fn: dict[str, Any], at: int) -> bool:
        """Whether this field says who asks: a long enough one would begin the training that the form shows."""
        return bool(self._parts[fn["inputs"][at]]["type"] == "browserstate")

    def usual(self, fn: dict[str, Any]) -> list[Any]:
        """What the page sends when nothing was touched, or an endpoint's defaults."""
        if endpoint := self._endpoints.get(f"/{fn['api_name']}"):
            own = REFUSED_TRAINING if fn["api_name"] == "train_start" else {}
            return [
                own.get(p["parameter_name"], p["parameter_default"] if p["parameter_has_default"] else "ab")
                for p in endpoint["parameters"]
            ]
        parts = [self._parts[at] for at in fn["inputs"]]
        return [None if part["type"] == "state" else part["props"].get("value") for part in parts]


@pytest.fixture(scope="module")
def functions(served: Served) -> Functions:
    return Functions(served)


def test_every_function_answers_every_value_of_every_field(served: Served, functions: Functions) -> None:
    before = served.megabytes

    @settings(max_examples=900)
    @given(st.data())
    def sweep(data: st.DataObject) -> None:
        fn = data.draw(st.sampled_from(functions.all))
        given = functions.usual(fn)
        if given:
            at, value = data.draw(st.integers(0, len(given) - 1)), data.draw(values)
            given[at] = value[:12] if functions.is_token(fn, at) and isinstance(value, str) else value
        answer = served.call(fn, given, f"visitor-{data.draw(st.integers(0, 30))}")
        assert is_clear(answer), (fn["api_name"], given, answer)
        long = fn["api_name"] in LONG or fn["api_name"].startswith(LOOKS)
        assert long or len(answer) < 20_000, (fn["api_name"], given)

    sweep()
    assert "Traceback" not in served.log
    assert served.left_over == []
    assert served.megabytes - before < 100


def test_every_click_on_a_card_is_answered(served: Served, functions: Functions) -> None:
    cards = [fn for fn in functions.all if fn["api_name"].startswith("do")]

    @settings(max_examples=200)
    @given(
        st.sampled_from(cards),
        values | st.dictionaries(st.sampled_from(list(CLICK)), values).map(lambda given: CLICK | given),
    )
    def sweep(fn: dict[str, Any], click: Any) -> None:
        assert is_clear(served.call(fn, functions.usual(fn), event_data=click))

    sweep()
    assert "Traceback" not in served.log


def test_a_call_of_any_shape_is_answered(served: Served) -> None:
    fields = [
        "data",
        "fn_index",
        "session_hash",
        "event_id",
        "trigger_id",
        "batched",
        "simple_format",
        "event_data",
    ]
    bodies = (
        st.dictionaries(st.sampled_from([*fields, "fn_name", "component_id", "oauth_token"]), values) | values
    )
    roads = [
        "run/predict",
        "api/predict/",
        "queue/join",
        "call/read",
        "call/v2/generate",
        "call/v2/train_stop",
    ]
    roads += ["call/nobody", "cancel", "reset", "component_server", "component_server/"]

    @settings(max_examples=500)
    @given(st.sampled_from(roads), bodies)
    def sweep(road: str, body: Any) -> None:
        status, answer = served.post(road, body)
        assert status in (200, 400, 404, 413, 422) and len(answer) < 1_000, (road, body, status, answer)

    sweep()
    assert "Traceback" not in served.log


def test_bytes_that_are_no_json_are_answered(served: Served) -> None:
    broken = st.binary(max_size=80) | st.sampled_from(
        [b"[" * 900, b'{"data":' * 400, b'{"a":"' + b'\\"' * 50_000, b"\xff\xfe",
         b'{"n":' + b"9" * 5_000 + b"}", b"NaN"]
    )  # fmt: skip

    @settings(max_examples=150)
    @given(broken)
    def sweep(body: bytes) -> None:
        status, answer = served.send("POST", "/gradio_api/queue/join", body)
        assert status in (400, 413) and b'"detail"' in answer

    sweep()


@pytest.mark.parametrize("raw", ["1e999", "-1e999", "Infinity", "-Infinity", "NaN"])
@pytest.mark.parametrize("field", ["temperature", "seed"])
def test_a_number_without_end_is_refused_in_one_sentence(served: Served, field: str, raw: str) -> None:
    body = f'{{"prompt": "a", "{field}": {raw}}}'.encode()
    status, answer = served.send("POST", "/gradio_api/call/v2/generate", body)
    if "e" in raw:  # JSON, but too large for a number
        answer = served.send("GET", f"/gradio_api/call/generate/{json.loads(answer)['event_id']}")[1]
        assert status == 200 and f"{field} is {raw[:-5]}inf; it must be a".encode() in answer
    else:
        assert status == 400 and f"{raw} is no number".encode() in answer


def test_any_address_and_query_is_answered(served: Served) -> None:
    roads = [
        "",
        "config",
        "gradio_api/info",
        "gradio_api/queue/data",
        "gradio_api/heartbeat/",
        "gradio_api/file=",
    ]
    roads += [
        "gradio_api/upload_progress",
        "gradio_api/call/read/",
        "monitoring",
        "static/",
        "assets/",
        "svelte/",
        "x/",
    ]
    fields = ["?prompt=", "?session_hash=", "?page=", "?deep_link=", "?tab="]
    ends = texts.map(lambda text: "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "replace"))[:3_000])

    @settings(max_examples=250)
    @given(
        st.sampled_from(roads),
        ends,
        st.sampled_from(fields),
        ends,
    )
    def sweep(road: str, end: str, field: str, value: str) -> None:
        if road.endswith("heartbeat/") and end.replace("%", "").isalnum():
            end += "%21"  # the heartbeat of a good name never ends
        status, answer = served.send("GET", f"/{road}{end}{field}{value}")
        assert status in (200, 400, 403, 404, 422) and is_clear(f"{status} {answer!r}"), (road, end, status)

    sweep()
    assert "Traceback" not in served.log


def test_a_page_opens_with_any_query(served: Served, functions: Functions) -> None:
    load = next(
        fn for fn in functions.all if any(at[1] == "load" for at in fn["targets"]) and not fn["inputs"]
    )
    names = ["prompt", "models", "preset", "max_new_tokens", "temperature", "top_k", "seed", "context", "tab"]

    @settings(max_examples=150)
    @given(st.dictionaries(st.sampled_from(names), texts, max_size=3))
    def sweep(query: dict[str, str]) -> None:
        end = "&".join(
            f"{k}={''.join(f'%{b:02x}' for b in v[:500].encode('utf-8', 'replace'))}"
            for k, v in query.items()
        )
        body = {"fn_index": load["id"], "session_hash": "opener", "data": []}
        status, answer = served.send("POST", f"/gradio_api/run/predict?{end}", json.dumps(body).encode())
        assert status == 200 and is_clear(answer.decode())

    sweep()
    assert "Traceback" not in served.log


def test_other_methods_and_websockets_are_refused(served: Served) -> None:
    for method in ("PUT", "DELETE", "PATCH", "TRACE", "BREW"):
        status, answer = served.send(method, "/gradio_api/queue/join", b"{}")
        assert status in (400, 405), (method, answer)
