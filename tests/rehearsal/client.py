"""A client that sends what twine would refuse to send, over real TLS and through the proxy."""

from __future__ import annotations

import hashlib
from email.parser import BytesParser
from typing import TYPE_CHECKING, Any

import requests

from tagship.indexes import INDEXES
from tagship.rehearsal.issuer import claims_of
from tests.rehearsal.conftest import PUSH

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

_LISTS = {"Classifier": "classifiers", "Requires-Dist": "requires_dist", "License-File": "license_file"}


class Client:
    """Speaks to one index; `session` trusts the servers and goes through their proxy."""

    def __init__(self, servers: Servers, index: str = "pypi") -> None:
        self.index = INDEXES[index]
        self.servers = servers
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.proxies = {"https": servers.proxy.address}
        self.session.verify = str(servers.bundle)

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"https://{self.index.site}{path}", timeout=30, **options)

    def id_token(self, environment: str | None = "pypi", **claims: Any) -> str:
        """Return a signed ID token; None takes a claim away."""
        merged = {**claims_of(PUSH, environment), **claims}
        present = {name: value for name, value in merged.items() if value is not None}
        return self.servers.issuer.sign(present, self.index.name)

    def exchange(self, token: object) -> requests.Response:
        url = f"https://{self.index.upload_host}/_/oidc/mint-token"
        return self.session.post(url, json={"token": token}, timeout=30)

    def mint(self, environment: str | None = "pypi", **claims: Any) -> str:
        """Return an upload token; fails when the index refuses."""
        answer = self.exchange(self.id_token(environment, **claims))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    def refusal(self, environment: str | None = "pypi", **claims: Any) -> tuple[str, str]:
        """Return the code and the description with which the index refuses a token."""
        answer = self.exchange(self.id_token(environment, **claims))
        assert answer.status_code == 422, answer.text
        assert answer.json()["message"] == "Token request failed"
        (error,) = answer.json()["errors"]
        return error["code"], error["description"]

    def upload(
        self, path: Path, token: str, metadata: bytes, *, filename: str = "", **fields: Any
    ) -> requests.Response:
        """Upload a file with the form that twine makes of its metadata; `fields` change it, None removes."""
        form = {**form_of(path.read_bytes(), path.name, metadata), **fields}
        sent = [(name, each) for name, value in form.items() for each in _several(value)]
        content = (filename or path.name, path.read_bytes(), "application/octet-stream")
        return self.session.post(
            self.index.upload_url,
            data=sent,
            files={"content": content},
            auth=("__token__", token),
            timeout=60,
        )


def form_of(content: bytes, filename: str, metadata: bytes) -> dict[str, Any]:
    message = BytesParser().parsebytes(metadata)
    wheel = filename.endswith(".whl")
    form: dict[str, Any] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "filetype": "bdist_wheel" if wheel else "sdist",
        "pyversion": "py3" if wheel else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        "description": message.get_payload(),
    }
    for header in set(message.keys()):
        field = _LISTS.get(header, header.lower().replace("-", "_"))
        form[field] = message.get_all(header)
    return form


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
