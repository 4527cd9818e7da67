"""Checks that the index serves what was published: the same files with the same bytes."""

from ..dists import rules
from ..dists.reading import Dist
from ..errors import Problem, refuse
from .index import Index
from .retry import RetryPolicy, TransientError

INITIAL_DELAY = 0.25  # seconds before the next request for a file that the index just accepted


def wait(index: Index, dists: list[Dist], retry: RetryPolicy) -> None:
    """Wait until the index lists and delivers every dist with the same bytes; raise `ReleaseError` on timeout."""
    retry.reset(INITIAL_DELAY)
    retry.call(lambda: _served(index, dists))
    left = list(dists)
    retry.call(lambda: _delivered(index, left, retry))


def missing(index: Index, dists: list[Dist]) -> list[Dist]:
    """Return the dists that the index lacks; raise `ReleaseError` if it has other bytes, or accepts no more files."""
    files = index.files(dists[0].name)
    hashes = {dist: index.sha256(files[dist.path.name]) for dist in dists if dist.path.name in files}
    refuse([_taken(index, dist, found) for dist, found in hashes.items() if found != dist.sha256])
    absent = [dist for dist in dists if dist not in hashes]
    if index.site:
        refuse(rules.too_old({name: file.uploaded for name, file in files.items()}, absent))
    return absent


def _taken(index: Index, dist: Dist, found: str) -> Problem:
    where = f"{dist.path.name} at {index.upload_url}"
    remedy = "a file name can be used only once: release a new version"
    return Problem("file-exists", where, f"SHA-256 {found}", f"SHA-256 {dist.sha256}", remedy)


def _served(index: Index, dists: list[Dist]) -> None:
    if absent := missing(index, dists):
        names = ", ".join(dist.path.name for dist in absent)
        later = "a later run of this job checks again"
        if not index.site:
            later += f"; if the index does not list them at {index.simple_urls[0]}, set index-url in [tool.tagship]"
        raise TransientError(f"{names}: accepted, but not served yet; {later} [not-served]")


def _delivered(index: Index, left: list[Dist], retry: RetryPolicy) -> None:
    """Download the dists, which can differ from what the index lists, and remove from `left` what is right."""
    files = index.files(left[0].name)
    while left:
        dist = left[0]
        remote = files.get(dist.path.name)  # another server of the index may answer now
        found = f"SHA-256 {index.downloaded(remote)}" if remote else "nothing"
        if found != f"SHA-256 {dist.sha256}":
            text = f"{dist.path.name} as the index delivers it: found {found}, expected SHA-256 {dist.sha256}"
            raise TransientError(f"{text} [not-served]")
        del left[0]
        retry.reset(INITIAL_DELAY)
