"""Plain requests to a Kubernetes API server: what tests say to it themselves, with no client library between."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import yaml

__all__ = ["Api", "Refused"]

_SECONDS = 30.0
_PATCH = "application/merge-patch+json"


class Refused(Exception):
    """The server answered with an error: its code, and the ``Status`` it sent."""

    def __init__(self, code: int, status: Mapping[str, Any]) -> None:
        super().__init__(f"{code}: {status.get('message', status)}")
        self.code = code
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """Where a server is and who asks.

    Args:
        server: ``https://127.0.0.1:6443``.
        authority: The certificate that the server's own is checked with.
        token: Who asks.
    """

    server: str
    authority: str
    token: str

    def request(
        self, method: str, path: str, body: Any = None, *, content_type: str = "", token: str = "", **query: Any
    ) -> Any:
        """Ask; returns the decoded answer. A body that is text is sent as it is.

        Raises:
            Refused: the server answered with an error.
            OSError: it cannot be reached.
        """
        media = content_type or (_PATCH if method == "PATCH" else "application/json")
        asked = urllib.request.Request(
            f"{self.server}{path}" + (f"?{urlencode(query)}" if query else ""),
            method=method,
            data=None if body is None else (body if isinstance(body, str) else json.dumps(body)).encode(),
            headers={
                "Authorization": f"Bearer {token or self.token}",
                "Content-Type": media,
                "Accept": "application/json",
            },
        )
        context = ssl.create_default_context(cadata=self.authority)
        try:
            with urllib.request.urlopen(asked, timeout=_SECONDS, context=context) as answer:
                return _decoded(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, _decoded(error.read())) from None

    def get(self, path: str, **query: Any) -> Any:
        """GET."""
        return self.request("GET", path, **query)

    def post(self, path: str, body: Mapping[str, Any], **query: Any) -> Any:
        """POST."""
        return self.request("POST", path, body, **query)

    def patch(self, path: str, body: Mapping[str, Any], **query: Any) -> Any:
        """PATCH, as a JSON merge patch."""
        return self.request("PATCH", path, body, **query)

    def delete(self, path: str, **query: Any) -> Any:
        """DELETE."""
        return self.request("DELETE", path, **query)

    def write_kubeconfig(self, path: Path, *, token: str = "", server: str = "", namespace: str = "default") -> Path:
        """A kubeconfig with one context, ``test``.

        Args:
            path: Where to.
            token: Who asks; this one's own by default.
            server: Another address: that of a proxy.
            namespace: The context's namespace.
        """
        place: dict[str, Any] = {"server": server or self.server}
        if place["server"].startswith("https"):
            place["certificate-authority-data"] = base64.b64encode(self.authority.encode()).decode()
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "test",
            "clusters": [{"name": "test", "cluster": place}],
            "users": [{"name": "test", "user": {"token": token or self.token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": namespace}}],
        }
        path.write_text(yaml.safe_dump(config))
        path.chmod(0o600)
        return path


def _decoded(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return {"message": body.decode(errors="replace")}
