"""Which publisher made the last release, as the index shows it: https://docs.pypi.org/api/integrity/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from .model import Finding

if TYPE_CHECKING:
    from tagship.publisher import Registration

SIMPLE = "application/vnd.pypi.simple.v1+json"
TIMEOUT = (10, 20)


def check(registration: Registration, simple_url: str) -> Finding:
    """Compare the publisher of the newest file at the index of `simple_url` with what should be registered."""
    name = f"publisher of {registration.project}"
    expected = str(registration)
    try:
        files = _json(f"{simple_url.rstrip('/')}/{registration.project}/", SIMPLE).get("files") or []
        if not files:
            return Finding(name, "unknown", "no file at the index yet", expected)
        newest = max(files, key=lambda file: str(file.get("upload-time", "")))
        address = newest.get("provenance")
        if not address:
            saw = f"{newest.get('filename')} has no provenance: it was uploaded with a token, or not signed"
            return Finding(name, "unknown", saw, expected)
        bundles = _json(address, "application/json").get("attestation_bundles") or []
    except requests.HTTPError as error:
        missing = error.response.status_code == 404
        saw = "the index has no such project yet" if missing else f"the index answered {error.response.status_code}"
        return Finding(name, "unknown", saw, expected)
    except (requests.RequestException, ValueError, AttributeError) as error:
        return Finding(name, "unknown", f"the index could not be read ({type(error).__name__})", expected)
    publishers = [bundle.get("publisher") or {} for bundle in bundles if isinstance(bundle, dict)]
    if any(_is(publisher, registration) for publisher in publishers):
        return Finding(name, "right", f"{newest.get('filename')} came from {expected}")
    saw = f"{newest.get('filename')} came from {' and '.join(map(_shown, publishers)) or 'nobody that is named'}"
    return Finding(name, "wrong", saw, expected)


def _json(url: str, kind: str) -> dict[str, Any]:
    answer = requests.get(url, headers={"Accept": kind}, timeout=TIMEOUT)
    answer.raise_for_status()
    content: dict[str, Any] = answer.json()
    return content


def _is(publisher: dict[str, Any], registration: Registration) -> bool:
    wanted = (f"{registration.owner}/{registration.repository}", registration.workflow, registration.environment)
    seen = tuple(str(publisher.get(key) or "") for key in ("repository", "workflow", "environment"))
    return tuple(text.lower() for text in seen) == tuple(text.lower() for text in wanted)


def _shown(publisher: dict[str, Any]) -> str:
    place = f"{publisher.get('repository')}, {publisher.get('workflow')}"
    return f"{place}, environment {publisher.get('environment')!r}" if publisher.get("environment") else place
