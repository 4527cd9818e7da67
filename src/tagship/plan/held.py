"""What the indexes already have of a project; only reads, by the simple API (PEP 691)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import requests
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from .model import Held

if TYPE_CHECKING:
    from collections.abc import Mapping

SIMPLE = "application/vnd.pypi.simple.v1+json"
TIMEOUT = 5  # seconds; more is not worth waiting for


def look(name: str, version: str, addresses: Mapping[str, str]) -> list[Held]:
    """Return what each index has of the project `name`; `addresses` are their simple APIs, by their names."""
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda item: _one(name, version, *item), addresses.items()))


def _one(name: str, version: str, index: str, address: str) -> Held:
    try:
        url = f"{address.rstrip('/')}/{canonicalize_name(name)}/"
        answer = requests.get(url, headers={"Accept": SIMPLE}, timeout=TIMEOUT)
        if answer.status_code == 404:
            return Held(index, has_version=False, saw="no such project yet")
        answer.raise_for_status()
        versions = _versions(answer.json())
    except (requests.RequestException, ValueError, AttributeError) as error:
        return Held(index, saw=f"not known: {type(error).__name__}")
    newest = str(max(versions)) if versions else ""
    return Held(index, newest, bool(version) and Version(version) in versions)


def _versions(content: Any) -> list[Version]:
    found = []
    for text in content.get("versions") or ():
        try:
            found.append(Version(str(text)))
        except InvalidVersion:
            continue
    return found
