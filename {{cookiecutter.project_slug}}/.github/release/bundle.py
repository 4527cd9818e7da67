"""The bundle: what the gate hands to the publish jobs, and its check before anything leaves."""

from __future__ import annotations

import shutil
from pathlib import Path

from .dists import Dist, file_hash, read_dists
from .errors import Problem, ReleaseError, refuse

SUMS = "SHA256SUMS"
#: What the publish jobs run, besides the dists that they publish.
CODE = ("noxfile.py", "pyproject.toml", ".github/release")


def clear(root: Path) -> None:
    """Remove the bundle at `root`: one that an earlier run let through says nothing about this one."""
    shutil.rmtree(root / "bundle", ignore_errors=True)


def write(root: Path, dists: list[Dist]) -> Path:
    """Write the bundle of `dists` and this checkout's release code to `bundle/`, whole or not at all."""
    clear(root)
    partial = root / "bundle.part"
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "dist").mkdir(parents=True)
    for dist in dists:
        shutil.copy2(dist.path, partial / "dist")
    for name in CODE:
        _copy(root / name, partial / name)
    (partial / SUMS).write_text(_sums(partial), encoding="utf-8", newline="\n")
    return partial.replace(root / "bundle")


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
    elif path.exists():
        shutil.copy2(path, to)


def _sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(f"{file_hash(path, 'sha256')}  {path.relative_to(folder).as_posix()}\n" for path in files)


def locate(root: Path) -> Path:
    """Return the bundle: `root` itself, as in a publish job, or its `bundle/`; raise `ReleaseError` for neither."""
    for folder in (root, root / "bundle"):
        if (folder / SUMS).is_file():
            return folder
    raise ReleaseError(Problem("bundle", "nothing to publish", SUMS, "run: nox -s build verify-version"))


def check(folder: Path) -> list[Dist]:
    """Return the dists of the bundle in `folder`; raise `ReleaseError` for every file that is not as it was written."""
    listed = _listed(folder)
    present = {f"dist/{path.name}" for path in (folder / "dist").iterdir()} if (folder / "dist").is_dir() else set()
    remedy = "do not publish this bundle; run: nox -s build verify-version"
    problems = [
        Problem(name, "a file", f"no file that {SUMS} does not list", remedy) for name in sorted(present - set(listed))
    ]
    for name, digest in listed.items():
        found = _found(folder, name)
        if found != f"SHA-256 {digest}":
            problems.append(Problem(name, found, f"SHA-256 {digest} as in {SUMS}", remedy))
    refuse(problems)
    return read_dists(folder / "dist")


def _found(folder: Path, name: str) -> str:
    path = folder / name
    if ".." in Path(name).parts or not path.resolve().is_relative_to(folder.resolve()) or path.is_symlink():
        return "a path out of the bundle"
    return f"SHA-256 {file_hash(path, 'sha256')}" if path.is_file() else "no file"


def _listed(folder: Path) -> dict[str, str]:
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}
    if not any(name.startswith("dist/") for name in sums):
        raise ReleaseError(Problem(SUMS, "no dists", "a line for each", "run: nox -s build verify-version"))
    return sums
