"""A process that has read through PyArrow ends when PyArrow's threads have let go."""

from __future__ import annotations

import hashlib
import threading

import pyarrow as pa  # noqa: F401 - whose threads are waited for
import pytest

from fluid_fsspec import leaving

_BLOCK = bytes(4 << 20)  # a few milliseconds


@pytest.fixture
def busy() -> object:
    """A thread that computes without the interpreter's lock, until it is told to stop."""
    stop, done = threading.Event(), threading.Event()

    def work() -> None:
        while not stop.is_set():
            hashlib.sha256(_BLOCK)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    yield stop, done
    stop.set()
    thread.join()


def test_it_waits_for_a_thread_that_is_at_work() -> None:
    """Threads that still compute are done when the wait is over."""
    started, done = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        for _ in range(4):
            hashlib.sha256(_BLOCK)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    leaving.let_arrow_finish()
    assert done.is_set()
    thread.join()


def test_a_thread_that_never_rests_does_not_keep_the_process(busy: tuple[threading.Event, threading.Event]) -> None:
    """The wait ends by itself."""
    _, done = busy
    leaving.let_arrow_finish()
    assert not done.is_set()


def test_without_pyarrow_nothing_is_waited_for(
    busy: tuple[threading.Event, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that do not use PyArrow end at once."""
    monkeypatch.delitem(leaving.sys.modules, "pyarrow", raising=False)
    monkeypatch.setattr(leaving.time, "sleep", lambda _: pytest.fail("waited"))
    leaving.let_arrow_finish()
