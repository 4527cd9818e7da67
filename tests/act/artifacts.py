"""The artifacts of a run, by the rules of actions/upload-artifact v7 and actions/download-artifact v8."""

from __future__ import annotations

import fnmatch
import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

#: The ids of a later attempt are lower here: GitHub promises no order.
FIRST, EARLIER = 9001, 1000


class ArtifactError(Exception):
    """An error of the action, with its own message."""


@dataclass(frozen=True)
class Artifact:
    """An artifact that was uploaded; it never changes."""

    id: int
    name: str
    attempt: str
    archive: Path

    def unpack(self, to: Path) -> None:
        """Unpack it as the real action does: never outside of `to`, and without any executable bit."""
        to.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(self.archive) as archive:
            archive.extractall(to)


class Store:
    """The artifacts of one run, kept in a folder; a name is unique in an attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[Artifact]:
        """Return every artifact, by its id."""
        found = sorted(self.folder.glob("*/about.json"), key=lambda path: int(path.parent.name))
        return [_read(path) for path in found]

    def upload(self, name: str, files: dict[str, Path], attempt: str, *, overwrite: bool = False) -> Artifact:
        """Keep `files`, by their paths in the artifact; raise `ArtifactError` where the name is taken."""
        for taken in [each for each in self.all() if (each.name, each.attempt) == (name, attempt)]:
            if not overwrite:
                raise ArtifactError(
                    "Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict:"
                    " an artifact with this name already exists on the workflow run"
                )
            (taken.archive.parent / "about.json").unlink()
        folder = self._new(int(attempt))
        with zipfile.ZipFile(folder / "content.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path, file in files.items():
                archive.writestr(path, file.read_bytes())
        (folder / "about.json").write_text(json.dumps({"name": name, "attempt": attempt}))
        return _read(folder / "about.json")

    def select(self, name: str = "", ids: str = "", pattern: str = "") -> list[Artifact]:
        """Return the artifacts that the inputs of download-artifact name: the highest id of each name, else all."""
        if name and ids:
            raise ArtifactError("Inputs 'name' and 'artifact-ids' cannot be used together. Please specify only one.")
        latest = list({artifact.name: artifact for artifact in self.all()}.values())
        if ids:
            return _by_id(latest, ids)
        found = [each for each in latest if not name or each.name == name]
        if name and not found:
            raise ArtifactError(f"Artifact '{name}' not found")
        return [each for each in found if not pattern or fnmatch.fnmatchcase(each.name, pattern)]

    def _new(self, attempt: int) -> Path:
        number = FIRST - EARLIER * (attempt - 1)
        while True:
            folder = self.folder / str(number)
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                number += 1
            else:
                return folder


def _read(path: Path) -> Artifact:
    about = json.loads(path.read_text())
    return Artifact(int(path.parent.name), about["name"], about["attempt"], path.parent / "content.zip")


def _by_id(artifacts: list[Artifact], ids: str) -> list[Artifact]:
    wanted = [each.strip() for each in ids.split(",") if each.strip()]
    if not wanted:
        raise ArtifactError("No valid artifact IDs provided in 'artifact-ids' input")
    if invalid := [each for each in wanted if not each.isdecimal()]:
        raise ArtifactError(f"Invalid artifact ID: '{invalid[0]}'. Must be a number.")
    found = [each for each in artifacts if str(each.id) in wanted]
    if not found:
        raise ArtifactError("None of the provided artifact IDs were found")
    return found


def files(workspace: Path, patterns: str, *, hidden: bool) -> dict[str, Path]:
    """Return the files that upload-artifact's `path` names, by their paths in the artifact."""
    lines = [line.strip() for line in patterns.splitlines() if line.strip()]
    left_out = {path for line in lines if line.startswith("!") for path in _matches(workspace, line[1:])}
    roots = [_root(workspace / line) for line in lines if not line.startswith("!")]
    matches = {path for line in lines if not line.startswith("!") for path in _matches(workspace, line)} - left_out
    root = Path(os.path.commonpath(roots)) if roots else workspace
    if root.is_file():
        root = root.parent
    found = {path.relative_to(root).as_posix(): path for path in sorted(matches)}
    return {name: path for name, path in found.items() if hidden or not _is_hidden(name)}


def _matches(workspace: Path, pattern: str) -> set[Path]:
    whole = workspace / pattern
    root = _root(whole)
    found = [root] if root == whole else list(root.glob(str(whole.relative_to(root))))
    below = [path for each in found if each.is_dir() for path in each.rglob("*")]
    return {path for path in (*found, *below) if path.is_file()}


def _root(pattern: Path) -> Path:
    """Return the part of the pattern before its first wildcard."""
    parts = pattern.parts
    wild = next((number for number, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    return Path(*parts[:wild])


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
