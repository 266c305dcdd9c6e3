"""Fluid's mutating webhook for pods on loopback, registered in a real API server. It answers from `preview_webhook`.

with serve_webhook(cluster, namespace) as webhook:
    cluster.api.post(f"/api/v1/namespaces/{namespace}/pods", pod)
    webhook.calls[-1].answer.ignored
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

from datafluid.model.podlabels import INJECT
from datafluid.plane.kubernetes import KubernetesPlane
from datafluid.plane.webhook_facts import read_webhook_facts
from datafluid.workload.webhook import Preview, preview_webhook
from tests.certificates import loopback_tls
from tests.cluster.api import Refused
from tests.cluster.controlplane import Cluster
from tests.cluster.processes import eventually

__all__ = ["Call", "Webhook", "serve_webhook"]

_CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"
_NAMES = {
    "serverless.fluid.io/inject": "sidecar.fuse.fluid.io",
    "fuse.serverful.fluid.io/inject": "fuse.serverful.fluid.io",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the API server.

    Args:
        pod: What it sent.
        answer: What it got.
    """

    pod: Mapping[str, Any]
    answer: Preview


@dataclass(kw_only=True)
class Webhook:
    """What the webhook was asked, and how it is set up.

    Attributes:
        calls: Every call so far.
        env: The environment of the webhook; None as in Fluid's chart.
        profile: Its plugins profile; None likewise.
    """

    calls: list[Call] = field(default_factory=list)
    env: Mapping[str, str] | None = None
    profile: Mapping[str, Any] | None = None


@contextmanager
def serve_webhook(cluster: Cluster, namespace: str, directory: Path) -> Iterator[Webhook]:
    """Serve it for the pods of one namespace, with the selectors of Fluid's chart, until the block ends.

    Args:
        cluster: Whose API server calls it.
        namespace: Pods elsewhere are not sent to it.
        directory: For its certificate.
    """
    plane = KubernetesPlane(kubeconfig=str(cluster.kubeconfig))
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            review = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            request = review["request"]
            answer = preview_webhook(
                request["object"],
                namespace=request["namespace"],
                objects=read_webhook_facts(plane, [request["namespace"]]).objects,
                profile=webhook.profile,
                env=webhook.env,
            )
            webhook.calls.append(Call(pod=request["object"], answer=answer))
            body = json.dumps({**review, "request": None, "response": _response(request["uid"], answer)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context, authority = loopback_tls(directory / "webhook.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    name = f"fluid-pod-admission-webhook-{uuid4().hex[:6]}"
    try:
        url = f"https://127.0.0.1:{server.server_address[1]}/mutate-fluid-io-v1alpha1-schedulepod"
        cluster.api.post(_CONFIGURATIONS, _configuration(name, url, authority, namespace))
        eventually(lambda: _is_called(cluster, namespace))
        webhook.calls.clear()
        yield webhook
    finally:
        cluster.api.request("DELETE", f"{_CONFIGURATIONS}/{name}")
        server.shutdown()
        thread.join()
        server.server_close()


def _response(uid: str, answer: Preview) -> dict[str, Any]:
    if not answer.allowed:
        return {"uid": uid, "allowed": False, "status": {"code": 500, "message": answer.message}}
    parts = ("metadata", "spec")
    patch = [{"op": "add", "path": f"/{part}", "value": (answer.pod or {}).get(part, {})} for part in parts]
    encoded = base64.b64encode(json.dumps(patch).encode()).decode()
    return {"uid": uid, "allowed": True, "patchType": "JSONPatch", "patch": encoded}


def _configuration(name: str, url: str, authority: str, namespace: str) -> dict[str, Any]:
    """As the chart has it, for one namespace."""
    common = {
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "clientConfig": {"url": url, "caBundle": base64.b64encode(authority.encode()).decode()},
        "timeoutSeconds": 15,
        "failurePolicy": "Fail",
        "reinvocationPolicy": "IfNeeded",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
    }
    webhooks = [
        {"name": _NAMES[label], "objectSelector": {"matchLabels": {label: "true"}}, **common} for label in INJECT
    ]
    return {"metadata": {"name": name}, "webhooks": webhooks}


def _is_called(cluster: Cluster, namespace: str) -> bool:
    """The API server notices a configuration after a moment: from then on this pod is refused."""
    claim = {"name": "v", "persistentVolumeClaim": {"claimName": "is-not-there"}}
    for label in INJECT:
        pod = {
            "metadata": {"name": "probe", "labels": {label: "true"}},
            "spec": {"containers": [{"name": "c", "image": "none"}], "volumes": [claim]},
        }
        try:
            cluster.api.post(f"/api/v1/namespaces/{namespace}/pods", pod, dryRun="All")
        except Refused as error:
            if "is-not-there" not in str(error):
                raise
        else:
            return False
    return True
