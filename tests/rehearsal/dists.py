"""Makes small dists by hand, sound ones and broken ones, without a build backend."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


BACKEND = b"""
import os
import shutil

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    os.mkdir(os.path.join(directory, "tiny-1.0.dist-info"))
    shutil.copy("PKG-INFO", os.path.join(directory, "tiny-1.0.dist-info", "METADATA"))
    return "tiny-1.0.dist-info"
"""


@dataclass
class Dist:
    """What goes into a wheel and an sdist; each test changes what it is about."""

    name: str = "tiny"
    version: str = "1.0"
    headers: list[str] = field(default_factory=list)
    readme: str = "A *tiny* project.\n"
    content_type: str = "text/x-rst"
    tag: str = "py3-none-any"
    module: str = "answer = 42\n"

    @property
    def stem(self) -> str:
        return f"{self.name.lower().replace('-', '_').replace('.', '_')}-{self.version}"

    @property
    def metadata(self) -> bytes:
        lines = ["Metadata-Version: 2.4", f"Name: {self.name}", f"Version: {self.version}"]
        lines += [*self.headers, f"Description-Content-Type: {self.content_type}"]
        return ("\n".join(lines) + "\n\n" + self.readme).encode()

    def members(self) -> dict[str, bytes]:
        info = f"{self.stem}.dist-info"
        wheel = f"Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: {self.tag}\n"
        return {
            f"{self.name.lower().replace('-', '_')}.py": self.module.encode(),
            f"{info}/METADATA": self.metadata,
            f"{info}/WHEEL": wheel.encode(),
        }

    def write_wheel(
        self,
        folder: Path,
        *,
        filename: str = "",
        without: str = "",
        unlisted: dict[str, bytes] | None = None,
    ) -> Path:
        """Write a wheel; `without` leaves a member out, `unlisted` adds some that RECORD does not list."""
        members = self.members()
        record = f"{self.stem}.dist-info/RECORD"
        rows = [f"{name},sha256={_hash(content)},{len(content)}" for name, content in members.items()]
        members[record] = ("\n".join([*rows, f"{record},,"]) + "\n").encode()
        members |= unlisted or {}
        path = folder / (filename or f"{self.stem}-{self.tag}.whl")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                if not (without and name.endswith(without)):
                    archive.writestr(zipfile.ZipInfo(name), content)
        return path

    def write_sdist(self, folder: Path, *, filename: str = "", extra: dict[str, bytes] | None = None) -> Path:
        """Write an sdist that tells its metadata without any build tool."""
        pyproject = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        members = {
            f"{self.stem}/PKG-INFO": self.metadata,
            f"{self.stem}/pyproject.toml": pyproject.encode(),
            f"{self.stem}/backend.py": BACKEND,
            f"{self.stem}/{self.name}.py": self.module.encode(),
            **(extra or {}),
        }
        path = folder / (filename or f"{self.stem}.tar.gz")
        with tarfile.open(path, "w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return path


def _hash(content: bytes) -> str:
    return urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
