"""The watch's state machine, without a wire: whatever the server and the network do, what it tells adds up."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datafluid.errors import Forbidden, Unavailable
from datafluid.plane.kubernetes.requests import Request, Resource, Response
from datafluid.plane.kubernetes.steps import ATTEMPTS, Pause, Renew
from datafluid.plane.kubernetes.watching import OUTAGE, Watcher
from datafluid.plane.port import WatchEvent

DATASETS = Resource(api_version="data.fluid.io/v1alpha1", kind="Dataset", plural="datasets")
_PAGE = 2


@dataclass
class Server:
    """Objects with versions, a history that can be compacted, pages of two."""

    version: int = 10
    forgotten: int = 0
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)

    def change(self, what: str, name: str) -> None:
        """Create, change or delete an object, where that can be."""
        before = self.objects.get(name)
        if (before is None) == (what == "create"):
            self.version += 1
            type = {"create": "ADDED", "change": "MODIFIED", "delete": "DELETED"}[what]
            uid = before["metadata"]["uid"] if before else f"uid-{self.version}"
            made = {"metadata": {"name": name, "namespace": "n", "uid": uid, "resourceVersion": str(self.version)}}
            self.history.append({"type": type, "object": made})
            if type == "DELETED":
                del self.objects[name]
            else:
                self.objects[name] = made

    def page(self, request: Request) -> Response:
        """A page of the list, as it was when the list began."""
        after = request.query.get("continue", "")
        version, _, last = after.partition(":") if after else (str(self.version), "", "")
        if int(version) < self.forgotten:
            return refusal(410)
        state = self._at(int(version))
        names = [name for name in sorted(state) if name > last]
        metadata = {"resourceVersion": version}
        if len(names) > _PAGE:
            metadata["continue"] = f"{version}:{names[_PAGE - 1]}"
        return answer({"metadata": metadata, "items": [state[name] for name in names[:_PAGE]]})

    def stream(self, request: Request) -> list[bytes]:
        """All events after a version, or the error that it is forgotten."""
        since = int(request.query["resourceVersion"])
        if since < self.forgotten:
            return [json.dumps({"type": "ERROR", "object": {"code": 410, "reason": "Expired"}}).encode()]
        bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": str(self.version)}}}
        told = [each for each in self.history if int(each["object"]["metadata"]["resourceVersion"]) > since]
        return [json.dumps(each).encode() for each in [*told, bookmark]]

    def _at(self, version: int) -> dict[str, dict[str, Any]]:
        state: dict[str, dict[str, Any]] = {}
        for each in self.history:
            metadata = each["object"]["metadata"]
            if int(metadata["resourceVersion"]) <= version:
                state.pop(metadata["name"], None)
                if each["type"] != "DELETED":
                    state[metadata["name"]] = each["object"]
        return state


def answer(body: Any) -> Response:
    """200 with a body."""
    return Response(status=200, body=json.dumps(body).encode())


def refusal(status: int, **body: Any) -> Response:
    """An error with a Status."""
    return Response(status=status, body=json.dumps({"kind": "Status", "code": status, **body}).encode())


def watcher(**options: Any) -> Watcher:
    """A watch of the datasets of a namespace."""
    return Watcher(DATASETS, "n", **{"clock": lambda: 0.0, **options})


def turn(server: Server, watching: Watcher, cut: int) -> list[WatchEvent]:
    """One request and its answer; a stream is cut after so many lines."""
    request = watching.request()
    if watching.is_listing:
        page = server.page(request)
        if not page.ok:
            watching.refused(page)
            return []
        return list(watching.page(page))
    watching.opened()
    told = []
    for line in server.stream(request)[:cut]:
        event = watching.line(line)
        if event is None:
            break
        told.append(event)
    watching.ended()
    return told


CHANGES = st.lists(st.tuples(st.sampled_from(["create", "create", "change", "delete"]), st.sampled_from("abcde")))
#: Changes, then perhaps the server forgets all before them, then a few turns that are cut after so many lines.
ROUNDS = st.tuples(CHANGES, st.booleans(), st.lists(st.integers(0, 4), min_size=1, max_size=4))


@given(st.lists(ROUNDS, min_size=4, max_size=8))
def test_what_a_watch_tells_adds_up_to_what_there_is(rounds: list[tuple[Any, bool, list[int]]]) -> None:
    """Through cuts, pages and forgotten versions: no object is missed, none is told twice in one version."""
    server, watching = Server(), watcher()
    told: list[WatchEvent] = []
    for changes, forgets, turns in rounds:
        for what, name in changes:
            server.change(what, name)
        if forgets:
            server.forgotten = server.version
        for cut in turns:
            told += turn(server, watching, cut)
    for _ in range(12):
        told += turn(server, watching, 100)
    state: dict[str, tuple[str, str]] = {}
    for event in told:
        if event.type == "BOOKMARK":
            continue
        metadata = event.object["metadata"]
        now = (metadata["uid"], metadata["resourceVersion"])
        if event.type == "DELETED":
            assert state.pop(metadata["name"])[0] == metadata["uid"]
        else:
            assert state.get(metadata["name"]) != now, "told twice"
            state[metadata["name"]] = now
    there = {name: each["metadata"] for name, each in server.objects.items()}
    assert state == {name: (each["uid"], each["resourceVersion"]) for name, each in there.items()}


def test_a_first_look_goes_page_by_page_and_then_follows() -> None:
    """Three objects are two pages; the stream begins at the list's version."""
    server, watching = Server(), watcher()
    for name in "abc":
        server.change("create", name)
    assert [[e.object["metadata"]["name"] for e in turn(server, watching, 9)] for _ in range(2)] == [["a", "b"], ["c"]]
    request = watching.request()
    assert request.query["resourceVersion"] == "13"
    assert request.query["allowWatchBookmarks"] == "true"


def test_a_bookmark_moves_the_version_on() -> None:
    """The next stream begins there, although nothing of ours has changed."""
    watching = watcher(since="5")
    watching.line(b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "99"}}}')
    assert watching.request().query["resourceVersion"] == "99"


def test_the_server_is_asked_for_no_more_time_than_is_left() -> None:
    """And not for the same time by everybody who was cut off at once."""
    assert watcher(since="5").request(3.2).query["timeoutSeconds"] == "4"
    drawn = {watcher(since="5").request().query["timeoutSeconds"] for _ in range(30)}
    assert len(drawn) > 1


def test_a_server_that_never_answered_is_not_waited_for() -> None:
    """After as many attempts as any request gets; one that answered before is waited for."""
    watching = watcher()
    for _ in range(ATTEMPTS - 1):
        assert isinstance(watching.failed(Unavailable("no route")), Pause)
    with pytest.raises(Unavailable, match="no route"):
        watching.failed(Unavailable("no route"))


def test_an_outage_is_waited_for_but_not_for_ever() -> None:
    """Minutes, with longer and longer pauses that are bounded."""
    now = [0.0]
    watching = watcher(since="5", clock=lambda: now[0])
    watching.opened()
    pauses = []
    while now[0] <= OUTAGE:
        pauses.append(watching.failed(Unavailable("away")).seconds)
        now[0] += pauses[-1]
    assert max(pauses) <= 15
    assert len(pauses) < 60
    with pytest.raises(Unavailable):
        watching.failed(Unavailable("away"))


def test_nothing_seen_and_nothing_heard_is_not_the_same() -> None:
    """When the time is up and the server has never answered, that is told."""
    watching = watcher()
    watching.failed(Unavailable("no route"))
    with pytest.raises(Unavailable):
        watching.finish()
    reached = watcher(since="5")
    reached.opened()
    reached.failed(Unavailable("away"))
    reached.finish()


def test_streams_that_end_at_once_are_not_asked_for_without_a_breath() -> None:
    """A proxy that closes every stream is left alone for a while; one that tells something is not."""
    watching = watcher(since="5")
    pauses = []
    for _ in range(8):
        watching.opened()
        pauses.append(watching.ended())
    assert pauses[0] is None
    assert isinstance(pauses[-1], Pause)
    watching.line(b'{"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "6"}}}')
    watching.opened()
    assert watching.ended() is None


def test_expired_credentials_are_renewed_once() -> None:
    """Refused again, they are Forbidden."""
    watching = watcher(since="5")
    assert isinstance(watching.refused(refusal(401)), Renew)
    with pytest.raises(Forbidden):
        watching.refused(refusal(401))


def test_a_stream_may_not_be_allowed() -> None:
    """Forbidden is final and names the rule."""
    message = (
        'datasets.data.fluid.io is forbidden: User "a" cannot watch resource "datasets" in API group "data.fluid.io"'
    )
    with pytest.raises(Forbidden) as caught:
        watcher(since="5").refused(refusal(403, message=message))
    assert caught.value.rule == 'apiGroups: ["data.fluid.io"], resources: ["datasets"], verbs: ["watch"]'


def test_credentials_that_expired_while_the_server_was_away_are_renewed() -> None:
    """A connection that broke is no use of the one renewal."""
    watching = watcher(since="5")
    watching.opened()
    watching.failed(Unavailable("lost"))
    assert watching.refused(refusal(401)) == Renew()
    with pytest.raises(Forbidden):
        watching.refused(refusal(401))


def test_a_quiet_watch_lives_for_days() -> None:
    """Streams without a word are counted; no count is too large for the pause after them."""
    watching = watcher(since="5")
    for _ in range(1200):
        watching.opened()
        pause = watching.ended()
    assert isinstance(pause, Pause)


def test_streams_that_break_at_once_are_not_asked_for_without_a_breath() -> None:
    """A proxy may accept every stream and cut it: that is no success to begin anew from."""
    watching = watcher(since="5")
    for _ in range(10):
        watching.opened()
        pause = watching.failed(Unavailable("cut"))
    assert pause.seconds > 5


@pytest.mark.parametrize("line", [b"<html>", b"\x00"])
def test_a_stream_of_something_else_is_no_watch(line: bytes) -> None:
    """What is no event comes from no API server."""
    with pytest.raises(Unavailable, match="no Kubernetes API server"):
        watcher(since="5").line(line)
