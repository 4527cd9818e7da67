"""The GitHub Release of a tag: a draft from the bundle, as nothing can be added to an immutable one, then published."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import report
from ..dists.reading import sha256_of
from ..errors import Problem, ReleaseError, refusal, refuse
from ..gate import bundle
from ..gate.lockstep import judge_bundle
from ..publish.retry import RetryPolicy, limited
from .api import Api, connect, documented

DRAFTS = "next time push the tag alone, or save a draft; or set github-release = false in [tool.tagship]"
IMMUTABLE = Problem("github-release", "GitHub Release", "an immutable one without the files", "a draft", DRAFTS)


@dataclass(frozen=True)
class Wanted:
    """The release as it should be: its tag and commit, the notes, the files by their SHA-256."""

    tag: str
    commit: str
    is_prerelease: bool
    notes: str
    files: Mapping[str, Path]


def release(root: Path, environ: Mapping[str, str]) -> None:
    """Create or complete the GitHub Release of the bundle of the project at `root`; raise `ReleaseError` on failure.

    An existing release or draft, made by hand or by another tool, keeps its title, notes and files.
    """
    with limited(environ) as retry, tempfile.TemporaryDirectory() as scratch:
        wanted = _wanted(root, environ, Path(scratch))
        api = connect(root, environ)
        retry.call(lambda: _check_tag(api, wanted))
        done = retry.call(lambda: _complete(api, wanted, retry))
    report.output("url", page := str(done.get("html_url")))
    rows = [(path.name, digest) for digest, path in wanted.files.items()]
    report.summary(f"## GitHub Release {wanted.tag}", page, report.table(("file", "SHA-256"), rows))
    print(f"GitHub Release: {page}")


def _wanted(root: Path, environ: Mapping[str, str], scratch: Path) -> Wanted:
    folder = bundle.locate(root)
    dists = bundle.check(folder)
    tag, version, problems = judge_bundle(root, dists, environ)
    refuse(problems)
    sums = scratch / bundle.SUMS
    more = [path for path in (folder / bundle.SBOM,) if path.is_file()]
    files = {dist.sha256: dist.path for dist in dists} | {sha256_of(path): path for path in more}
    listed = "".join(f"{digest}  {path.name}\n" for digest, path in files.items())
    sums.write_text(listed, encoding="utf-8", newline="\n")
    files[sha256_of(sums)] = sums
    commit, notes = ((folder / name).read_text(encoding="utf-8").strip() for name in (bundle.COMMIT, bundle.NOTES))
    commit, *_ = commit.split()  # line ends may make git call a fresh checkout changed
    return Wanted(tag, commit, version.is_prerelease, notes, files)


@documented()
def _check_tag(api: Api, wanted: Wanted) -> None:
    """Refuse a tag that GitHub lacks, and would create on the default branch, or that it has at another commit."""
    where, expected = f"tag {wanted.tag!r} on GitHub", f"commit {wanted.commit}, which the bundle was made from"
    try:
        found = api.send("GET", f"/commits/tags/{wanted.tag}").json()["sha"]
    except ReleaseError as error:
        if "No commit found" not in str(error):
            raise
        raise refusal("no-tag", where, "no such tag", expected, f"run: git push origin {wanted.tag}") from error
    if found != wanted.commit:
        raise refusal("moved-tag", where, f"commit {found}", expected, "release a new version")


@documented()
def _complete(api: Api, wanted: Wanted, retry: RetryPolicy) -> dict[str, Any]:
    """Return the release once it has all files and is published; each attempt continues where the last one stopped."""
    there = [each for each in api.pages("/releases") if each["tag_name"] == wanted.tag]
    if not there:
        flags = {"draft": True, "prerelease": wanted.is_prerelease}
        content = {"tag_name": wanted.tag, "name": wanted.tag, "body": wanted.notes, **flags}
        there = [api.send("POST", "/releases", json=content).json()]
    found = min(there, key=lambda each: bool(each["draft"]))
    path = f"/releases/{found['id']}"
    for digest in _missing(api, found, wanted):
        _upload(api, found, wanted.files[digest])
        retry.reset()
    changes: dict[str, Any] = {}
    if wanted.notes and not (found["body"] or "").strip():
        changes["body"] = wanted.notes
    if found["draft"]:
        # "legacy": a release of an older line does not become the latest.
        changes |= {"draft": False, "make_latest": "legacy"}
        changes["prerelease"] = found["prerelease"] or wanted.is_prerelease
    return dict(api.send("PATCH", path, json=changes).json()) if changes else found


def _missing(api: Api, release: dict[str, Any], wanted: Wanted) -> list[str]:
    """Return the SHA-256 of the files to upload; refuse other files of these names, or delete them from a draft."""
    assets = list(api.pages(f"/releases/{release['id']}/assets"))
    there = {asset.get("digest") for asset in assets if asset["state"] == "uploaded"}
    missing = [digest for digest in wanted.files if f"sha256:{digest}" not in there]
    names = {wanted.files[digest].name for digest in missing}
    others = [asset for asset in assets if asset["name"] in names]
    if not release["draft"]:
        # The state of an upload that was cut off is another.
        refuse([_other_bytes(asset["name"]) for asset in others if asset["state"] == "uploaded"])
        refuse([IMMUTABLE] if missing and release.get("immutable") else [])
    for asset in others:
        api.send("DELETE", f"/releases/assets/{asset['id']}")
    return missing


def _other_bytes(name: str) -> Problem:
    where, remedy = f"{name} of the GitHub Release", "delete that file on the release's page, and run this again"
    remedy += "; something else has uploaded it"
    return Problem("github-release", where, "other bytes", "those that were published", remedy)


def _upload(api: Api, release: dict[str, Any], path: Path) -> None:
    url, headers = release["upload_url"].partition("{")[0], {"Content-Type": "application/octet-stream"}
    with path.open("rb") as file:
        api.send("POST", url, params={"name": path.name}, headers=headers, data=file)
    print(f"{path.name}: uploaded")
