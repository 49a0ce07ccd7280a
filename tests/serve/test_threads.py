"""Threads that score."""

import threading

import pytest

from git_mlops.serve.threads import Threads


def test_results_and_errors_come_back_and_the_rest_is_finished_at_the_end() -> None:
    threads = Threads(2, "t")
    good, bad = threads.submit(pow, 3, exp=1), threads.submit(int, "x")
    last = [threads.submit(pow, n, 2) for n in range(50)]
    assert good.result() == 3
    with pytest.raises(ValueError, match="invalid literal"):
        bad.result()
    assert threads.close(5.0)
    assert [future.result() for future in last] == [n * n for n in range(50)]


def test_one_that_does_not_come_back_is_not_waited_for() -> None:
    threads, never = Threads(1, "t"), threading.Event()
    threads.submit(never.wait)
    assert not threads.close(0.01)
    never.set()
