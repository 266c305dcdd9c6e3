"""What an answer means, and whether to ask again: tables of what API servers say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from datafluid.errors import (
    AlreadyExists,
    Conflict,
    DatafluidError,
    Forbidden,
    Invalid,
    NotFound,
    Unavailable,
    Unsupported,
)
from datafluid.model.ref import Ref
from datafluid.plane.kubernetes.catalogue import Catalogue
from datafluid.plane.kubernetes.errors import error_of, field_conflicts
from datafluid.plane.kubernetes.reading import all_pages
from datafluid.plane.kubernetes.requests import Request, Resource, Response
from datafluid.plane.kubernetes.steps import ATTEMPTS, Flow, NotSent, Pause, Renew, Step, call

DATASETS = Resource(api_version="data.fluid.io/v1alpha1", kind="Dataset", plural="datasets")
GET = DATASETS.get(Ref("Dataset", "demo", "team"))
DELETE = DATASETS.delete(Ref("Dataset", "demo", "team"))
CREATE = DATASETS.create({"kind": "Dataset", "metadata": {"name": "demo", "namespace": "team"}})


def refusal(status: int, **body: Any) -> Response:
    """An error with a Status."""
    return Response(status=status, body=json.dumps({"kind": "Status", "code": status, **body}).encode())


NOT_THERE = {"reason": "NotFound", "details": {"name": "demo", "kind": "datasets"}}
CONFLICT = {
    "reason": "Conflict",
    "details": {
        "causes": [
            {
                "reason": "FieldManagerConflict",
                "message": 'conflict with "kubectl" with subresource "scale" using data.fluid.io/v1alpha1',
                "field": ".spec.replicas",
            }
        ]
    },
}
DENIED = {"message": 'admission webhook "fluid" denied the request: no such dataset'}
CANNOT = 'x is forbidden: User "u" cannot get resource "datasets" in API group "data.fluid.io" in the namespace "team"'
QUOTA = 'datasets "demo" is forbidden: exceeded quota: small, requested: pods=1'
TERMINATING = {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}
TYPED = {"message": "failed to create typed patch object (a/b; v1): .spec.mount: field not declared in schema"}
STRICT = {"reason": "BadRequest", "message": 'strict decoding error: unknown field "spec.a", unknown field "spec.b"'}
CAUSES = {"reason": "Invalid", "message": "wrong", "details": {"causes": [{"field": "spec.x", "message": "too long"}]}}

MEANINGS = [
    (refusal(404, **NOT_THERE), NotFound, "no Dataset team/demo"),
    (Response(status=404, body=b"404 page not found\n"), Unsupported, "does not serve"),
    (refusal(404, details={"name": "team", "kind": "namespaces"}), NotFound, "no namespace 'team'"),
    (refusal(409, reason="AlreadyExists"), AlreadyExists, "there already"),
    (refusal(409, **CONFLICT), Conflict, "'kubectl' owns spec.replicas"),
    (refusal(409, reason="Conflict", message="modified"), Conflict, "has changed"),
    (refusal(403, message=CANNOT), Forbidden, "you may not get datasets"),
    (refusal(403, message=CANNOT.replace('"u"', '"system:anonymous"')), Forbidden, "without credentials"),
    (refusal(403, message=QUOTA), Forbidden, "exceeded quota"),
    (refusal(403, **TERMINATING), Conflict, "namespace is being deleted"),
    (refusal(401, message="Unauthorized"), Forbidden, "does not accept the credentials"),
    (refusal(400, **STRICT), Invalid, "spec.a"),
    (refusal(422, **CAUSES), Invalid, "wrong"),
    (refusal(500, **TYPED), Invalid, "spec.mount"),
    (refusal(500, **DENIED), Invalid, "no such dataset"),
    (refusal(500, reason="InternalError", message="failed calling webhook"), Unavailable, "failed calling webhook"),
    (refusal(429), Unavailable, "HTTP 429"),
    (Response(status=413, body=b"Request entity too large"), Invalid, "too large"),
    (refusal(500, message='resourceVersion: Invalid value: "abc"'), Invalid, "abc"),
    (refusal(503), Unavailable, "HTTP 503"),
    (refusal(504, reason="Timeout"), Unavailable, "HTTP 504"),
    (refusal(410, reason="Expired"), Unavailable, "too old"),
    (refusal(405, message="not allowed"), Unsupported, "not allowed"),
    (Response(status=502, body=b"<html>Bad Gateway</html>"), Unavailable, "Bad Gateway"),
    (refusal(418, message="teapot"), Unavailable, "teapot"),
]


@pytest.mark.parametrize(("response", "kind", "words"), MEANINGS, ids=lambda value: getattr(value, "__name__", None))
def test_what_an_answer_means(response: Response, kind: type[DatafluidError], words: str) -> None:
    """The error's class, and what its message must say."""
    error = error_of(GET, response)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize(("answer", "cure"), [(STRICT, "spelling"), (TYPED, "spelling"), (CAUSES, "kubectl explain")])
def test_what_the_server_refuses_is_no_matter_of_fluid_alone(answer: dict[str, Any], cure: str) -> None:
    """Jobs are applied as well: the hint fits every kind."""
    assert cure in error_of(GET, refusal(422, **answer)).hint or cure in error_of(GET, refusal(500, **answer)).hint


def test_no_name_is_not_all_of_them() -> None:
    """A path without a name is that of the collection, and a DELETE there takes everything."""
    nothing = Ref("Dataset", "", "team")
    asks = (DATASETS.get, DATASETS.delete, lambda ref: DATASETS.patch(ref, {}, subresource="status"))
    for ask in asks:
        with pytest.raises(Invalid, match="named by nothing"):
            ask(nothing)


def test_a_name_needs_its_namespace() -> None:
    """Without one the server would look elsewhere, and say something about the kind."""
    nowhere = Ref("Dataset", "demo")
    for ask in (lambda: DATASETS.get(nowhere), lambda: DATASETS.create({"kind": "Dataset", "metadata": {"name": "x"}})):
        with pytest.raises(Invalid, match="without its namespace"):
            ask()


def test_every_unknown_field_is_a_finding() -> None:
    """With its path, so that an editor can show it."""
    error = error_of(CREATE, refusal(400, **STRICT))
    assert isinstance(error, Invalid)
    assert [finding.path for finding in error.findings] == ["spec.a", "spec.b"]


def test_who_owns_what() -> None:
    """Only a conflict of field managers has owners."""
    assert field_conflicts(refusal(409, **CONFLICT)) == [("kubectl", ".spec.replicas")]
    assert field_conflicts(refusal(409, reason="AlreadyExists")) == []


class Wire:
    """Plays a transport: gives out the answers in turn and keeps what was asked of it."""

    def __init__(self, *answers: Response | Unavailable) -> None:
        self._answers = list(answers)
        self.steps: list[Step] = []

    def run(self, request: Request) -> Any:
        """Drive the call."""
        return self.drive(call(request))

    def drive(self, flow: Flow[Any]) -> Any:
        """Drive any flow."""
        step = next(flow)
        try:
            while True:
                self.steps.append(step)
                answer = self._answers.pop(0) if isinstance(step, Request) else None
                step = flow.throw(answer) if isinstance(answer, Unavailable) else flow.send(answer)
        except StopIteration as end:
            return end.value

    @property
    def pauses(self) -> list[float]:
        """How long it was told to wait."""
        return [step.seconds for step in self.steps if isinstance(step, Pause)]


OK = Response(status=200, body=b"{}")
LOST = Unavailable("reset")
INTERNAL = refusal(500, reason="InternalError")


def test_passing_trouble_is_got_over() -> None:
    """Each of these, then an answer."""
    for trouble in (refusal(429), refusal(503), refusal(502), refusal(504, reason="Timeout"), INTERNAL, LOST):
        wire = Wire(trouble, OK)
        assert wire.run(GET) == {}
        assert len(wire.pauses) == 1


def test_pauses_grow_and_are_never_twice_the_same() -> None:
    """Clients that were thrown out together do not come back together."""
    runs = []
    for _ in range(5):
        wire = Wire(*[LOST] * (ATTEMPTS - 1), OK)
        wire.run(GET)
        runs.append(tuple(wire.pauses))
        assert all(later > earlier / 2 for earlier, later in zip(wire.pauses, wire.pauses[1:], strict=False))
        assert sum(wire.pauses) < 30
    assert len(set(runs)) == 5


def test_asking_again_ends() -> None:
    """After so many attempts the last answer stands."""
    wire = Wire(*[refusal(503)] * 20)
    with pytest.raises(Unavailable):
        wire.run(GET)
    assert sum(isinstance(step, Request) for step in wire.steps) == ATTEMPTS


@pytest.mark.parametrize("trouble", [LOST, INTERNAL, refusal(504, reason="Timeout")], ids=["lost", "500", "504"])
def test_what_may_have_been_done_is_asked_once(trouble: Response | Unavailable) -> None:
    """A create is not repeated when nobody knows."""
    wire = Wire(trouble)
    with pytest.raises(Unavailable):
        wire.run(CREATE)
    assert wire.pauses == []


@pytest.mark.parametrize("trouble", [LOST, INTERNAL, refusal(504, reason="Timeout")], ids=["lost", "500", "504"])
def test_what_is_gone_when_its_deletion_is_sent_again_was_deleted(trouble: Response | Unavailable) -> None:
    """Only the answer was lost."""
    assert Wire(trouble, refusal(404, **NOT_THERE)).run(DELETE)["status"] == "Success"


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        (DELETE, [refusal(404, **NOT_THERE)]),
        (DELETE, [NotSent("refused"), refusal(404, **NOT_THERE)]),
        (DELETE, [refusal(429), refusal(404, **NOT_THERE)]),
        (DELETE, [LOST, Response(status=404, body=b"404 page not found")]),
        (GET, [LOST, refusal(404, **NOT_THERE)]),
    ],
    ids=["asked once", "never sent", "turned away", "no such kind", "only read"],
)
def test_what_nobody_deleted_is_not_found(request_: Request, answers: list[Response | Unavailable]) -> None:
    """Or its kind is not served."""
    with pytest.raises((NotFound, Unsupported)):
        Wire(*answers).run(request_)


def test_what_was_never_sent_is_sent_again() -> None:
    """There was no connection: a create loses nothing by it."""
    wire = Wire(NotSent("refused"), OK)
    assert wire.run(CREATE) == {}
    assert len(wire.pauses) == 1


def test_retry_after_is_kept_within_reason() -> None:
    """The server's word counts, for a create too; one that asks for an hour is not waited for."""
    wire = Wire(Response(status=429, headers={"retry-after": "7"}), OK)
    wire.run(CREATE)
    assert 7 <= wire.pauses[0] < 8
    with pytest.raises(Unavailable):
        Wire(Response(status=503, headers={"retry-after": "3600"})).run(GET)


def test_refused_credentials_are_renewed_once() -> None:
    """An expired token is no reason to fail, a wrong one is."""
    wire = Wire(refusal(401), OK)
    assert wire.run(CREATE) == {}
    assert any(isinstance(step, Renew) for step in wire.steps)
    with pytest.raises(Forbidden):
        Wire(refusal(401), refusal(401)).run(GET)


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_clear_no_is_final(status: int) -> None:
    """Asked once."""
    wire = Wire(refusal(status, **(NOT_THERE if status == 404 else {})))
    with pytest.raises(DatafluidError):
        wire.run(GET)
    assert len(wire.steps) == 1


@pytest.mark.parametrize("message", [DENIED["message"], TYPED["message"]])
def test_a_500_without_a_reason_is_final(message: str) -> None:
    """A webhook's denial, and an unknown field: nothing changes by asking again."""
    wire = Wire(refusal(500, message=message))
    with pytest.raises(Invalid):
        wire.run(GET)
    assert len(wire.steps) == 1


def page(*names: str, after: str = "") -> Response:
    """A page of a list."""
    items = [{"metadata": {"name": name, "managedFields": []}} for name in names]
    return Response(status=200, body=json.dumps({"metadata": {"continue": after}, "items": items}).encode())


def test_a_list_that_took_too_long_begins_again() -> None:
    """The server has forgotten the version of the pages before: nothing of them is kept."""
    wire = Wire(page("a", "b", after="x"), refusal(410, reason="Expired"), page("a", after="y"), page("c"))
    assert [each["metadata"]["name"] for each in wire.drive(all_pages(DATASETS, "team"))] == ["a", "c"]
    with pytest.raises(Unavailable):
        Wire(*[refusal(410)] * 20).drive(all_pages(DATASETS, "team"))


def test_what_the_server_warns_of_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """With what it was about."""
    Wire(Response(status=200, headers={"warning": '299 - "unknown field"'}, body=b"{}")).run(GET)
    assert "Dataset team/demo" in caplog.text
    assert "unknown field" in caplog.text


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b'"ok"', b"[]", b"null", b""])
def test_what_is_no_object_comes_from_no_api_server(body: bytes) -> None:
    """Proxies and log-in pages answer too: well, or with an error that is no Status."""
    asking = call(GET)
    next(asking)
    with pytest.raises(Unavailable, match="no Kubernetes API server"):
        asking.send(Response(status=200, body=body))
    assert isinstance(error_of(GET, Response(status=502, body=body)), Unavailable)


def test_a_kind_of_others_that_is_not_served_is_no_matter_of_fluid() -> None:
    """A group that is not there is answered like an API that is not installed: the hint must not send one to Fluid."""
    finding = Catalogue().find("kubeflow.org/v1/PyTorchJob")
    next(finding)
    with pytest.raises(Unsupported, match=r"does not serve kubeflow\.org/v1/PyTorchJob") as caught:
        finding.send(Response(status=404, body=b"404 page not found"))
    assert "PyTorchJob" in caught.value.hint
