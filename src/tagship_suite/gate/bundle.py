"""The bundle: what the gate hands to the publish jobs, and its check before anything is published."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..dists.reading import Dist, read_dists, sha256_of
from ..errors import Problem, refusal, refuse
from ..repo import git
from . import handover

SUMS, COMMIT, SBOM, NOTES = "SHA256SUMS", "COMMIT", "sbom.cdx.json", "NOTES.md"
NONE = "none"
RELEASE = Path(".github/release")
#: The package that runs here is the one that publishes.
PACKAGE = Path(__file__).resolve().parents[1]
NOXFILE = """\
# ruff: noqa
# flake8: noqa
\"\"\"The sessions that publish this bundle.\"\"\"

import sys

sys.path.insert(0, ".github/release")

from tagship_suite.sessions import github_release, publish, publish_test
"""


def clear(root: Path) -> list[Problem]:
    """Remove the bundle of an earlier run at `root`; return the problem of a `bundle` that is something else."""
    folder = root / "bundle"
    inside = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    is_other = inside and not inside & {SUMS, COMMIT}
    if is_other or folder.is_symlink() or folder.is_file():
        remedy = "rename it: verify-version writes the bundle there"
        return [Problem("in-the-way", str(folder), "something other than a bundle", "none", remedy)]
    shutil.rmtree(folder, ignore_errors=True)
    return []


def write(root: Path, dists: list[Dist], folders: Sequence[Path] = (), notes: str = "") -> Path:
    """Write the bundle of `dists` and this checkout's release code to `bundle/`, whole or not at all.

    `folders` are those of the distributions, below `root`, that have their own metadata; `notes` are the release notes.
    """
    refuse(clear(root))
    partial = root / "bundle.part"
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "dist").mkdir(parents=True)
    for dist in dists:
        shutil.copyfile(dist.path, partial / "dist" / dist.path.name)
    for path in (root / RELEASE / "requirements", *(folder / "pyproject.toml" for folder in (root, *folders))):
        _copy(path, partial / path.relative_to(root))
    _copy(PACKAGE, partial / RELEASE / PACKAGE.name)
    (partial / "noxfile.py").write_text(NOXFILE, encoding="utf-8")
    commit = (git.query(root, "rev-parse", "HEAD") or NONE) + " with changes" * bool(git.changed(root))
    (partial / COMMIT).write_text(f"{commit}\n", encoding="utf-8")
    (partial / NOTES).write_text(f"{notes}\n", encoding="utf-8", errors="replace")  # git has commits in any encoding
    _seal(partial)
    return partial.replace(root / "bundle")


def add_sbom(root: Path, text: str) -> Path:
    """Add an SBOM to the bundle at `root`; return its folder."""
    folder = root / "bundle"
    (folder / SBOM).write_text(f"{text}\n", encoding="utf-8", newline="\n")
    _seal(folder)
    return folder


def _seal(folder: Path) -> None:
    """Write SHA256SUMS of the bundle in `folder`."""
    lines = [f"{each}  {name}\n" for name, each in sorted(handover.hashes(folder).items()) if name != SUMS]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def made_from(folder: Path, root: Path) -> str | None:
    """Return what the bundle in `folder` was made from, if that is not the commit of the repository at `root`."""
    here = git.query(root, "rev-parse", "HEAD")
    made = (folder / COMMIT).read_text(encoding="utf-8").strip() if (folder / COMMIT).is_file() else NONE
    if here in {None, made}:
        return None
    return "files that were not committed yet" if made == NONE else f"commit {made}"


def _copy(path: Path, to: Path) -> None:
    if path.is_dir():
        shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
    elif path.exists():
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, to)


def locate(root: Path) -> Path:
    """Return the bundle: `root` itself, as in a publish job, or its `bundle/`; raise `ReleaseError` for neither."""
    for folder in (root, root / "bundle"):
        if (folder / SUMS).is_file():
            return folder
    raise refusal("no-bundle", "bundle", "nothing to publish", SUMS, "run: nox -s build verify-version")


def check(folder: Path) -> list[Dist]:
    """Return the dists of the bundle in `folder`; raise `ReleaseError` for each file that is not as it was written."""
    listed = _listed(folder)
    more = sorted(_present(folder) - listed.keys())
    faults = [(name, "a file", f"no file that {SUMS} does not list") for name in more]
    for name, digest in listed.items():
        if (found := _found(folder, name)) != f"SHA-256 {digest}":
            faults.append((name, found, f"SHA-256 {digest} as in {SUMS}"))
    remedy = "do not publish this bundle; run: nox -s build verify-version"
    refuse([*(Problem("bundle-changed", *fault, remedy) for fault in faults), *_other_suite(listed)])
    return read_dists(folder / "dist")


def _other_suite(listed: dict[str, str]) -> list[Problem]:
    """Return the files of the suite that runs here that differ from the bundle's."""
    inside, remedy = RELEASE / PACKAGE.name, "restore it, or run: nox -s build verify-version"
    paths = {name: PACKAGE / Path(name).relative_to(inside) for name in listed if inside in Path(name).parents}
    other = {name: path for name, path in paths.items() if sha256_of(path) != listed[name]}
    return [
        Problem("bundle-changed", str(path), "other bytes", f"those of {name} in the bundle", remedy)
        for name, path in other.items()
    ]


def _present(folder: Path) -> set[str]:
    """Return the files in the folders that publishing reads; nox and Python may add files elsewhere."""
    found = (path for name in ("dist", ".github") for path in (folder / name).rglob("*"))
    files = (path for path in found if path.is_symlink() or not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in files if "__pycache__" not in path.parts}


def _found(folder: Path, name: str) -> str:
    path = folder / name
    if path.resolve() != folder.resolve() / name or ".." in Path(name).parts or Path(name).is_absolute():
        return "a path out of the bundle"
    return f"SHA-256 {sha256_of(path)}" if path.is_file() else "no file"


def _listed(folder: Path) -> dict[str, str]:
    lines = (folder / SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines) if name}
    if not any(name.startswith("dist/") for name in sums):
        raise refusal("no-bundle", SUMS, "no dists", "a line for each", "run: nox -s build verify-version")
    return sums
