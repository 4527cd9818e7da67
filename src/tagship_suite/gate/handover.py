"""What one job of the workflow hands to the next: files, which any job can replace, and a digest, which none can."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..dists.reading import sha256_of
from ..errors import Problem, refusal, refuse

VARIABLE = "DIST_DIGEST"
EMPTY = "GitHub drops an output that contains a secret: use longer secrets; BUILD_ON may name at most eight machines"


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in `folder`, by its path there; "" for a link to nothing and the like."""
    files = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    with ThreadPoolExecutor() as threads:
        found = zip(files, threads.map(sha256_of, files), strict=True)
        return {path.relative_to(folder).as_posix(): digest for path, digest in found}


def digest(folder: Path) -> str:
    """Return the SHA-256 of the names and contents of all files in `folder`.

    The publish jobs compute the same: `find . ! -type d -exec sha256sum {} + | LC_ALL=C sort | sha256sum`.
    """
    lines = sorted(f"{each}  ./{name}\n" for name, each in hashes(folder).items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check(folder: Path, environ: Mapping[str, str]) -> None:
    """Raise `ReleaseError` unless `folder` has the digest in $DIST_DIGEST, which only a workflow sets."""
    _received([folder], environ)


def gather(folder: Path, environ: Mapping[str, str]) -> None:
    """Move the dists of all machines to `folder`: several machines have a subfolder each, a single one has none.

    Raises `ReleaseError`, and moves nothing, if they do not match $DIST_DIGEST, or if two machines' files of the same
    name differ: the one that ships might not be the one that was tested.
    """
    if not folder.is_dir():
        return  # the gate reports that
    folders = [path for path in sorted(folder.glob("*")) if path.is_dir() and not path.is_symlink()]
    parts = _received([folder, *folders], environ)
    files: dict[str, Path] = {}
    problems = []
    for path in (path for part in parts for path in sorted(part.iterdir()) if path not in folders):
        first = files.setdefault(path.name, path)
        is_sdist = path.name.endswith(".tar.gz")  # the first machine's ships
        if path != first and not is_sdist and sha256_of(path) != sha256_of(first):
            remedy = "let one machine build it: set build or skip in [tool.cibuildwheel]"
            problems.append(Problem("handover", str(path), "other bytes", f"those of {first}", remedy))
    refuse(problems)
    if not folders:
        return
    partial = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, path in files.items():
        path.replace(partial / name)
    shutil.rmtree(folder)
    partial.replace(folder)


def _received(parts: Sequence[Path], environ: Mapping[str, str]) -> list[Path]:
    """Return those of `parts` that $DIST_DIGEST names, one for each machine; all if it is not set."""
    if (given := environ.get(VARIABLE)) is None:
        return list(parts)
    expected, machines = given.split(), environ.get("MACHINES") or "1"
    if str(len(expected)) != machines:
        raise refusal("handover", VARIABLE, f"{len(expected)} digests", f"{machines}, one for each machine", EMPTY)
    found = {digest(part): part for part in parts}  # those of earlier attempts too
    remedy = "an artifact was overwritten, or the workspace was not empty; do not release these, run all jobs again"
    lost, where = set(expected) - {*found}, str(parts[0])
    refuse([Problem("handover", where, "other files", f"those of digest {each}", remedy) for each in lost])
    return [found[each] for each in dict.fromkeys(expected)]
