"""What others see of the page before they open it: title, description and picture, ours and once.

Gradio's template holds two sets of its own, and no argument takes them out; so the page's head is rewritten on its
way to the reader.
"""

from __future__ import annotations

import gzip
import html
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minrnn import settings
from minrnn.ui.theme import STATIC

TITLE = "minRNN: were RNNs all we needed?"
DESCRIPTION = (
    "minGRU, minLSTM, the LSTM and nanoGPT, small character-level language models of equal size, write side by side "
    "from one prompt. See what they remember, and train them yourself."
)
PREVIEW, FAVICON = STATIC / "preview.png", STATIC / "favicon.svg"
PREVIEW_ADDRESS = "minrnn/preview.png"
_FIRST = "<style>.gradio-container > .fillable { max-width: 1480px !important; margin: 0 auto !important; "
_FIRST += "padding: 0 24px 16px !important; }"
_FIRST += (
    "@media (max-width: 640px) { .gradio-container > .fillable { padding: 0 12px 12px !important; } }</style>"
)
"""The page's width, before its style sheet arrives, so that nothing shifts when it does."""
_THEIRS = re.compile(rb"""<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*""")


class PageHead:
    """ASGI middleware that puts our description into the head of the page.

    Args:
        app: what it wraps.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope.get("path") not in ("/", ""):
            await self.app(scope, receive, send)
            return
        start: list[Message] = []
        parts: list[bytes] = []

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.append(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(parts)
            headers = MutableHeaders(raw=start[0]["headers"])
            if headers.get("content-type", "").startswith("text/html"):
                body = with_head(body, _address(scope))
                if "gzip" in Headers(scope=scope).get(
                    "accept-encoding", ""
                ):  # Gradio sends it as large as it is
                    body = gzip.compress(body, 6)
                    headers["content-encoding"] = "gzip"
                    headers.append("vary", "Accept-Encoding")
                headers["content-length"] = str(len(body))
            await send(start[0])
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)


def with_head(page: bytes, address: str) -> bytes:
    """A page with our description in the place of Gradio's.

    Args:
        page: the page as HTML.
        address: where it is, for the picture, which others want by its whole address.
    """
    values = {
        "og:type": "website", "og:title": TITLE, "og:description": DESCRIPTION,
        "og:image": f"{address}/{PREVIEW_ADDRESS}", "twitter:card": "summary_large_image",
    }  # fmt: skip
    names = {name: "name" if name.startswith("twitter") else "property" for name in values}
    lines = [f'<meta {names[key]}="{key}" content="{html.escape(value)}">' for key, value in values.items()]
    lines += [_FIRST]
    lines.append(f'<meta name="description" content="{html.escape(DESCRIPTION)}">')
    return _THEIRS.sub(b"", page).replace(b"</head>", "\n".join(lines).encode() + b"</head>", 1)


def _address(scope: Scope) -> str:
    """The address of the Space, which is where visitors are, or the one that was asked for."""
    host = Headers(scope=scope).get("host", "localhost")
    return settings.space_url() or f"{scope.get('scheme', 'http')}://{host}"
