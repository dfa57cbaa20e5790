import json
import math
from pathlib import Path

import pytest

from minrnn import train
from minrnn.runs import events
from minrnn.runs.events import METRICS, Follower, History

HUGE = 10**400
ITER = train.Iter(3, 1.5, 0.1, 1.0, 192, 0.6, 0.2)


def lines(count: int) -> list[str]:
    return [
        events.to_line(train.Iter(n, 3.0 - n / 10, 0.1, 1.0, 64 * n, n / 5, 0.2)) for n in range(1, count)
    ]


@pytest.mark.parametrize(
    "event", [ITER, train.Eval(0, 2.0, 0, 0.1, 7), train.Sample(3, "Ä\n"), train.Done(3, "stopped")]
)
def test_an_event_is_read_back_from_its_line(event: train.Event) -> None:
    assert events.from_line(events.to_line(event)) == event


@pytest.mark.parametrize(
    "line",
    [
        "", "null", "3", "[1]", "{", '{"event": "iter"}', '{"event": ["iter"]}', '{"event": "dream", "iter": 1}',
        '{"loss": 1}', '{"event": "done", "iter": 3, "reason": "early"}', '{"event": "eval", "iter": 1e400}',
        "[" * 100_000, "\0" * 40, *(events.to_line(ITER).replace('"iter": 3', f'"iter": {n}') for n in (HUGE, -HUGE)),
        *(events.to_line(ITER).replace("1.5", number) for number in ("NaN", "Infinity", "1e300")),
    ],
)  # fmt: skip
def test_a_line_that_is_no_event_is_passed_over(line: str, tmp_path: Path) -> None:
    (tmp_path / METRICS).write_text(
        f"{events.to_line(ITER)}\n{line}\n{events.to_line(train.Done(3, 'stopped'))}\n"
    )
    assert events.from_line(line) is None
    assert events.read_events(tmp_path / METRICS) == [ITER, train.Done(3, "stopped")]
    history = Follower(tmp_path).poll()
    assert history.iters == [ITER] and history.done == train.Done(3, "stopped")


def test_a_newer_versions_event_with_further_keys_is_read() -> None:
    assert events.from_line(json.dumps(json.loads(events.to_line(ITER)) | {"mood": "good"})) == ITER


def test_a_lone_surrogate_does_not_reach_a_page() -> None:
    event = events.from_line('{"event": "sample", "iter": 3, "text": "a\\ud800b"}')
    assert event == train.Sample(3, "a?b")


def test_a_follower_reads_only_what_is_new_and_starts_over_when_the_file_was_cut(tmp_path: Path) -> None:
    written, path, follower = lines(9), tmp_path / METRICS, Follower(tmp_path)
    path.write_text("\n".join(written[:6]) + "\n" + written[6][:20])
    assert [e.iter for e in follower.poll().iters] == [1, 2, 3, 4, 5, 6]
    path.write_text("\n".join([*written[:3], written[7], *written[3:], *written]) + "\n")
    assert [e.iter for e in follower.poll().iters][:5] == [1, 2, 3, 8, 4]


def test_the_last_event_is_found_behind_garbage_and_half_a_line(tmp_path: Path) -> None:
    assert events.last_event(tmp_path / METRICS) is None
    (tmp_path / METRICS).write_text(f"{events.to_line(ITER)}\nnull\n{{\n{events.to_line(ITER)[:30]}")
    assert events.last_event(tmp_path / METRICS) == ITER


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 123_456])
def test_thinning_keeps_both_ends_and_no_more_than_the_limit(count: int) -> None:
    points = events.thinned(count)
    assert len(points) <= events.MAX_POINTS
    assert points == sorted(set(points))
    assert not count or (points[0] == 0 and points[-1] == count - 1)


def test_rates_of_another_tools_log_are_not_divided_by_nought() -> None:
    history = History()
    assert math.isnan(history.chars_per_s)
    history.add(train.Iter(0, 1.0, 0.1, 1.0, 0, 0.0, 0.0))
    assert math.isnan(history.chars_per_s)
    history.add(ITER)
    assert history.iter_ms == pytest.approx(100)


def test_a_history_is_a_table_in_order_of_time() -> None:
    history = History()
    for event in (train.Eval(0, 3.0, 0, 0.1, 7), ITER, train.Eval(3, 2.0, 192, 0.7, 7)):
        history.add(event)
    rows = events.to_csv(history).splitlines()
    assert rows[0].split(",")[:4] == ["iter", "tokens", "seconds", "train_loss"]
    assert [row.split(",")[0] for row in rows[1:]] == ["0", "3", "3"]


def test_evaluations_are_found_among_other_lines(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    evals = [train.Eval(0, 4.2, 0, 0.5, 7), train.Eval(2, 3.9, 64, 1.5, 7)]
    told = [evals[0], train.Iter(1, 4.0, 0.1, 1.0, 32, 1.0, 0.5), train.Sample(1, 'an "eval"'), evals[1]]
    path.write_text("\n".join([*map(events.to_line, told), '{"eval": 1', events.to_line(evals[0])[:-5]]))
    assert events.read_evals(path) == evals
    assert events.read_evals(tmp_path / "none") == []
