"""Dists made by hand: small, and valid except for what a test changes."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def metadata(name: str, version: str, *extra: str, metadata_version: str = "2.4") -> str:
    """Return core metadata; `extra` are further header lines."""
    return "\n".join([f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}", *extra, "", ""])


def write_wheel(
    folder: Path,
    name: str = "ship",
    version: str = "1.0",
    *,
    files: Mapping[str, str] | None = None,
    extra: tuple[str, ...] = (),
    tag: str = "py3-none-any",
    metadata_version: str = "2.4",
    wheel: str = "",
) -> Path:
    """Write a wheel to `folder`, with METADATA, WHEEL and RECORD; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    wheel = wheel or f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    members = {
        **({f"{name}/__init__.py": ""} if files is None else files),
        f"{info}/METADATA": metadata(name, version, *extra, metadata_version=metadata_version),
        f"{info}/WHEEL": wheel,
    }
    lines = [f"{path},sha256={_record_hash(text)},{len(text.encode())}" for path, text in members.items()]
    members[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""])
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in members.items():
            archive.writestr(zipfile.ZipInfo(member), text, zipfile.ZIP_DEFLATED)
    return path


def write_sdist(
    folder: Path,
    name: str = "ship",
    version: str = "1.0",
    *,
    files: Mapping[str, str] | None = None,
    extra: tuple[str, ...] = (),
    metadata_version: str = "2.4",
    before: str = "",
) -> Path:
    """Write an sdist to `folder`, with PKG-INFO, which begins with `before`; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    info = before + metadata(name, version, *extra, metadata_version=metadata_version)
    members = {"PKG-INFO": info, "pyproject.toml": "", **(files or {})}
    with tarfile.open(path, "w:gz") as archive:
        for member, text in members.items():
            entry = tarfile.TarInfo(f"{name}-{version}/{member}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return path


def write_release(folder: Path, name: str = "ship", version: str = "1.0", *, body: str = "") -> list[Path]:
    """Write an sdist and a wheel of one release, whose package's `__init__.py` is `body`."""
    return [
        write_sdist(folder, name, version, files={f"src/{name}/__init__.py": body}),
        write_wheel(folder, name, version, files={f"{name}/__init__.py": body}),
    ]


def _record_hash(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
