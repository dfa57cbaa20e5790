"""The measurements' clients and tables; how fast is not asserted, for machines differ."""

import asyncio

import pytest

from minrnn.bench import serve, visitors
from minrnn.bench.load_result import LoadResult
from minrnn.bench.running import Use
from minrnn.bench.visitors import Response


def answering(answer: bytes, path: str = "/x") -> list[tuple[str, object]]:
    """The events that a client reads from a server that answers so."""

    async def both() -> list[tuple[str, object]]:
        async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return [event async for event in visitors.events(f"http://127.0.0.1:{port}", path)]

    return asyncio.run(both())


def chunked(*pieces: bytes) -> bytes:
    body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body


def test_events_are_read_across_the_pieces_they_come_in() -> None:
    found = answering(chunked(b"event: generating\nda", b'ta: [1]\n\nevent: complete\ndata: "x"', b"\n\n"))
    assert found == [("generating", [1]), ("complete", "x")]


def test_another_status_is_an_error() -> None:
    with pytest.raises(ValueError, match="answered with 503"):
        answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


def test_places_in_line_are_noted_without_repetitions() -> None:
    response = Response()
    for place in (3, 3, 1, 0):
        response.take({"lstm": {"text": "", "finish_reason": None, "place": place}})
    assert response.places == [3, 1]


def test_the_goals_are_those_of_the_figures() -> None:
    slow = serve.Served("old", 16, 400, 1.3, 0, 20, 40, 47, 0, 0, None)
    many = serve.Served("new", 16, 3_300, 1.9, 0.1, 0.2, 0.4, 6, 0, 0, 15)
    goals = serve.Report(many, [slow], None, serve.Noticed(1.6, 2.5, 0.1, 600, 5)).goals()
    assert goals["characters/s, of the baseline"] == (8.25, 8, True)
    assert [ok for *_, ok in goals.values()].count(False) >= 2
    assert not goals["visitors whose texts are their seeds'"][2]
    assert not goals["one who never listened is noticed, s"][2]


def test_growth_compares_the_end_with_the_state_after_ten_seconds() -> None:
    result = LoadResult(uses=[(float(at), Use(100 + at, 10, 20, 3)) for at in range(60)])
    growth = result.growth()
    assert growth["threads"] == growth["handles"] == 1 < 1.05 < growth["memory_mb"]
    assert not result.goals()["memory_mb, end / after 10 s"][2]


def test_training_workers_count_apart_and_their_growth_is_no_goal() -> None:
    result = LoadResult(uses=[(float(at), Use(100, 10, 20, 3, 50.0 + at)) for at in range(60)])
    assert result.growth()["memory_mb"] == 1 and result.growth()["training_mb"] > 1.05
    assert all(ok for *_, ok in result.goals().values())


def test_of_several_answers_the_slowest_and_the_quickest_are_noted() -> None:
    result = LoadResult()
    for seconds in (0.2, 0.1, 0.3):
        result.answered("Stop", seconds)
    assert result.answers == {"Stop": 0.3} and result.quickest == {"Stop": 0.1}
