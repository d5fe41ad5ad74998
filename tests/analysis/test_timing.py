"""Timings: every way takes its turn in each round."""

import itertools

from attention_lab.analysis import timing


def test_each_way_is_timed_in_each_round_on_fresh_inputs(monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr("time.perf_counter", lambda: float(next(clock)))
    calls = []

    def way(name):
        def prepared(x):
            next(clock)  # takes a second, which is not timed
            return lambda: calls.append((name, x))
        return prepared

    ways = {name: way(name) for name in "ab"}
    seconds = timing.interleaved(ways, lambda number: (number,), 2)
    assert calls == [("a", -1), ("b", -1), ("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert seconds == {"a": [1.0, 1.0], "b": [1.0, 1.0]}
    assert timing.quartiles([1.0, 2.0, 3.0]) == (1.5, 2.0, 2.5)
