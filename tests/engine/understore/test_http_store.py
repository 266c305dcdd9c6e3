"""Plain web servers as under-stores: good ones, simple ones, and those that break off."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from datafluid.engine.understore.http_client import HttpClient
from datafluid.engine.understore.http_store import HttpStore
from datafluid.engine.understore.port import Fetch, ObjectInfo
from datafluid.errors import Corrupt, Forbidden, NotFound, StaleVersion, Unavailable, Unsupported
from tests.web import Web, serve_web

_DATA = random.Random(1).randbytes(1_000_000)


@pytest.fixture
def web() -> Iterator[Web]:
    """A server with a file whose name needs quoting."""
    with serve_web() as running:
        running.files = {"/dir/a b%ü.bin": _DATA, "/dir/empty": b""}
        yield running


@pytest.fixture
def store(web: Web) -> HttpStore:
    """The server's directory."""
    return HttpStore(f"{web.url}/dir/", HttpClient(connect=5, silent=1))


def _fetch(store: HttpStore, start: int = 0, length: int | None = None) -> Fetch:
    info = store.stat("a b%ü.bin")
    return Fetch(info=info, start=start, length=info.size - start if length is None else length)


def test_reading(store: HttpStore, web: Web) -> None:
    """Whole files and ranges; connections are used again."""
    store.probe()
    assert store.stat("empty").size == 0
    assert store.read(_fetch(store)) == _DATA
    assert store.read(_fetch(store, 1000, 17)) == _DATA[1000:1017]
    assert store.read(_fetch(store, 999_999)) == _DATA[-1:]
    assert b"".join(map(bytes, store.stream(_fetch(store, 5, 700_000)))) == _DATA[5:700_005]


def test_a_server_without_ranges(store: HttpStore, web: Web) -> None:
    """The whole file comes, and what was asked for is cut out of it."""
    web.ranges = False
    assert store.read(_fetch(store, 1000, 17)) == _DATA[1000:1017]


@pytest.mark.parametrize("tag", [None, 'W/"weak"', '"strong"'])
def test_versions(store: HttpStore, web: Web, tag: str | None) -> None:
    """With every sort of tag the same version is read, and another one is not."""
    web.tag = tag
    fetch = _fetch(store, 10, 100)
    assert store.read(fetch) == _DATA[10:110]
    if tag is None:
        web.files["/dir/a b%ü.bin"] = _DATA + b"longer"
    else:
        web.tag = tag.replace('"', '"other', 1)
    with pytest.raises(StaleVersion, match="Open it again"):
        store.read(fetch)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_trouble_is_not_noticed(store: HttpStore, web: Web, status: int) -> None:
    """It is asked again."""
    fetch = _fetch(store)
    web.statuses = [status, status]
    assert store.read(fetch) == _DATA


def test_who_says_wait_a_year_is_not_obeyed(store: HttpStore, web: Web) -> None:
    """`Retry-After` is the server's wish."""
    fetch = _fetch(store)
    web.statuses, web.headers = [503], {"Retry-After": "31536000"}
    began = time.monotonic()
    assert store.read(fetch) == _DATA
    assert time.monotonic() - began < 60


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Forbidden), (403, Forbidden), (404, NotFound), (410, NotFound), (405, Unsupported), (418, Unavailable)],
)
def test_refusals(store: HttpStore, web: Web, status: int, kind: type[OSError]) -> None:
    """Each has its errno, and a sentence."""
    fetch = _fetch(store)
    for ask in (lambda: store.stat("a b%ü.bin"), lambda: store.read(fetch)):
        web.statuses = [status]
        with pytest.raises(kind, match=r"\. [A-Z]"):
            ask()


def test_a_line_that_breaks_goes_on_where_it_was(store: HttpStore, web: Web) -> None:
    """Cut again and again, with progress each time: right bytes, and nothing is fetched twice."""
    fetch = _fetch(store)
    web.cut = [300_000, 300_000, 100]
    assert store.read(fetch) == _DATA
    starts = [asked.headers.get("range", "bytes=0-").partition("-")[0] for asked in web.asked if asked.method == "GET"]
    assert starts == ["bytes=0", "bytes=300000", "bytes=600000", "bytes=600100"]


def test_a_line_that_brings_nothing(store: HttpStore, web: Web) -> None:
    """It is given up after a few tries."""
    fetch = _fetch(store)
    web.cut = [0] * 50
    with pytest.raises(Unavailable):
        store.read(fetch)
    assert len(web.cut) > 10


def test_a_server_that_does_not_say_how_large(store: HttpStore, web: Web) -> None:
    """It cannot be cached in ranges, and says so."""
    web.length = False
    with pytest.raises(Unsupported, match="how large"):
        store.stat("a b%ü.bin")


def test_a_server_that_sends_another_range(store: HttpStore, web: Web) -> None:
    """No byte of it is believed."""
    fetch = _fetch(store, 100, 50)
    for wrong in ("bytes 200-249/1000000", "bytes */1000000", "lines 100-149/1000000", ""):
        web.headers = {"Content-Range": wrong}
        with pytest.raises((Corrupt, StaleVersion, Unavailable, Unsupported)):
            store.read(fetch)


def test_nothing_can_be_listed(store: HttpStore) -> None:
    """It says what to do instead."""
    for ask in (lambda: store.list(""), lambda: list(store.walk(""))):
        with pytest.raises(Unsupported, match="Name the files"):
            ask()
    assert [[info.key for info in page] for page in store.walk("empty")] == [["empty"]]


@pytest.mark.slow
def test_nobody_answers() -> None:
    """A closed port is Unavailable, with a hint."""
    store = HttpStore("http://127.0.0.1:9", HttpClient(connect=1, silent=1))
    with pytest.raises(Unavailable, match=r"cannot be reached: connection refused\. Check"):
        store.stat("x")


@pytest.mark.slow
def test_a_host_that_is_none() -> None:
    """Said in words, without the names of a library's classes."""
    store = HttpStore("http://nowhere.invalid", HttpClient(connect=1, silent=1))
    with pytest.raises(Unavailable, match=r"cannot be reached: no such host\. Check"):
        store.stat("x")


def test_through_a_proxy(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is asked for what lies elsewhere, and not where no_proxy says so."""
    monkeypatch.setenv("http_proxy", web.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    web.files["http://files.invalid/x"] = b"far away"
    far = HttpStore("http://files.invalid", HttpClient(connect=5, silent=1))
    assert far.read(Fetch(info=far.stat("x"), start=0, length=8)) == b"far away"
    near = HttpStore(f"{web.url}/dir", HttpClient(connect=5, silent=1))
    assert near.stat("empty") == ObjectInfo(key="empty", size=0, version='"1"', mtime=near.stat("empty").mtime)
