"""What git says about a release: whether a derived version is right, which branches have the commit, who signed it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..config import Config
from ..errors import Problem, collecting, refusal, some
from ..files import load_toml, parse_cfg, subtable
from ..repo import git
from ..repo.literals import find
from ..repo.version_source import locate
from ..repo.versions import Ref, is_foreign, parsed, read_tag

if TYPE_CHECKING:
    from .judge import Verdict

#: The public keys: those of SSH as in ssh-keygen(1), ALLOWED SIGNERS, those of OpenPGP as `gpg --export` writes them.
SSH, OPENPGP = ".github/allowed_signers", ".github/allowed_signers.asc"
#: The values of `tag_date` in setup.cfg and in TOML that append nothing.
OFF = {"", "0", "false", "no", "off"}


def judge_history(verdict: Verdict, root: Path, ref: Ref) -> list[Problem]:
    """Return why a version derived from git's tags may not be the intended one."""
    changed, obstacles = _changed(verdict, root), _obstacles(verdict, ref)
    if not ref.tags:
        verdict.notes += map(str, [*obstacles, *changed]) if verdict.version.local else []
        return []
    if not verdict.differing:
        return changed
    if foreign := [tag for tag in ref.tags if is_foreign(tag, verdict.name)]:
        return changed + [_prefixed(tag, verdict) for tag in foreign if _names(tag, verdict)]
    remedy = "run: nox -s build; if that changes nothing, git status shows the files that the build changed"
    remedy += f", or the build's tag pattern ignores {ref.tags[0]}: correct it"
    stale = Problem("stale-dists", "dist", "dists from before the tag", "dists of this commit", remedy)
    return obstacles + changed or [stale]


def _prefixed(tag: str, verdict: Verdict) -> Problem:
    """Return the problem that the build derives the version from a `tag` with a prefix of something else."""
    expected = f"one such as {verdict.package.tag(verdict.version)!r}"
    remedy = "make the build's tag pattern match such tags, commit that, and push one"
    return Problem("tag-mismatch", f"tag {tag!r}", f"a tag that does not belong to {verdict.name}", expected, remedy)


def _changed(verdict: Verdict, root: Path) -> list[Problem]:
    files = git.changed(root)
    made = [name for name in files if _is_made(verdict, verdict.package.root / name)]
    commit = "commit or stash them, then run: nox -s build"
    untrack = f"run: git rm --cached {shlex.join(made)}; add it to .gitignore, commit, then run: nox -s build"
    return [
        *_listed(made, "files that the build writes", "none of them in git", untrack),
        *_listed([name for name in files if name not in made], "changed files", "a clean tree", commit),
    ]


def _listed(files: list[str], what: str, expected: str, remedy: str) -> list[Problem]:
    return [Problem("uncommitted", "git", f"{len(files)} {what} ({some(files)})", expected, remedy)] if files else []


def _is_made(verdict: Verdict, path: Path) -> bool:
    """Return whether the build wrote the version to `path`: a file that the project's configuration names."""
    files = (verdict.package.folder / name for name in ("pyproject.toml", "setup.py", "setup.cfg"))
    if not any(path.name.encode() in file.read_bytes() for file in files if file.is_file()):
        return False
    pattern = r'^(?:__)?version(?:__)? = "(.*)"$' if path.suffix == ".py" else ""
    with collecting([]):
        return parsed(find(path, pattern).text) == verdict.version
    return False


def unset(verdict: Verdict, root: Path, config: Config) -> list[Problem | str]:
    """Return the problem that no file has a version if the dists have 0.0.0, which setuptools then writes."""
    found: list[Problem | str] = []
    if str(verdict.version) == "0.0.0":
        with collecting(found):
            locate(root, config)
    return found


def appended(root: Path) -> list[Problem]:
    """Return the settings by which setuptools appends something to the version of the project at `root`."""
    cfg, section = parse_cfg(root / "setup.cfg"), "egg_info"
    keys = subtable(load_toml(root / "pyproject.toml"), "tool", "distutils", section)
    keys |= dict(cfg.items(section)) if cfg.has_section(section) else {}
    found = [f"{key} = {value}" for key, value in keys.items() if str(value).lower() not in OFF and key[:3] == "tag"]
    remedy = "remove what changes the version, then run: nox -s build"
    where, expected = f"setuptools [{section}]", "no tag_build and no tag_date"
    return [Problem("tag-build", where, each, expected, remedy) for each in found]


def _obstacles(verdict: Verdict, ref: Ref) -> list[Problem]:
    found, package = [], verdict.package
    here = git.tags_here(package.folder)
    if git.is_shallow(package.folder):
        remedy = "run: git fetch --unshallow --tags (in a workflow: fetch-depth: 0), then nox -s build"
        expected = "the whole history, from which the version is derived"
        found.append(Problem("shallow-clone", "git", "a shallow clone", expected, remedy))
    others = [tag for tag in here if tag not in ref.tags and _names(tag, verdict)]
    if others and ref.tags:
        own = read_tag(others[0], verdict.name) is not None
        ignored = f"all tags but those such as {ref.tags[0]}" if own else "the tags of other projects"
        remedy = f"tag a separate commit (git commit --allow-empty), or make the build ignore {ignored}"
        other = f"tag {others[0]!r} at this commit too"
        found.append(Problem("two-tags", "git", other, f"only {ref.tags[0]!r}", remedy))
    if not any(read_tag(tag, verdict.name) for tag in here if package.owns(tag)):
        tag = shlex.quote(next(iter(ref.tags), package.tag("X.Y.Z")))
        remedy = f"run: git fetch --tags, or git tag {tag}, then nox -s build"
        found.append(Problem("no-tag", "git", "no tag at this commit", "one that names the version", remedy))
    return found


def _names(tag: str, verdict: Verdict) -> bool:
    """Return whether `tag`, of this project or another one, names the version that was built."""
    found = read_tag(tag, re.split(r"[-_/@]?v?[0-9]", tag)[0])
    return found is not None and found.version == verdict.version


def branch_problems(root: Path, config: Config, ref: Ref) -> list[Problem]:
    """Return why the tagged commit is on none of the branches that `release-branches` names."""
    holding = git.lines(root, "branch", "--all", "--contains", "HEAD", "--format=%(refname)")
    names = {re.sub(r"\Arefs/(?:heads|remotes/[^/]+)/", "", name) for name in holding if not name.startswith("(")}
    if names & set(config.release_branches):
        return []
    found = f"a commit on {', '.join(sorted(names - {'HEAD'})) or 'no branch'}"
    expected = f"one on {' or '.join(config.release_branches)} (release-branches)"
    return [Problem("release-branch", " ".join(ref.tags), found, expected, "merge it there first, then tag")]


def signer(root: Path, tag: str) -> str:
    """Return git's line about the signature of `tag` in the repository at `root`.

    Raises `ReleaseError` unless a key in the repository has signed this name, for the commit that is checked out.
    """
    head, fields = git.query(root, "rev-parse", "HEAD"), "%(objecttype) %(tag) %(*objectname)"
    found = git.query(root, "for-each-ref", f"--format={fields}", f"refs/tags/{tag}") or "no such tag"
    if found == f"tag {tag} {head}":
        done = _verify(root, tag)
        lines = [line for line in done.stderr.splitlines() if line.strip() and "WARNING" not in line]
        if not done.returncode:
            return f"tag {tag!r}: {next((line for line in lines if 'ood ' in line), 'a good signature')}"
        found = " / ".join(lines)
    elif not found.startswith("tag "):
        found = f"{found.partition(' ')[0]}, not a signed tag object" if found[:3] != "no " else found
    expected = f"one at this commit, signed by a key in {SSH} or {OPENPGP}"
    again = f"git tag --sign --force {tag} {head}, git push --force origin {tag}"
    remedy = f"run: {again}; or add the key, and sign the next release"
    raise refusal("unsigned-tag", f"tag {tag!r}", found, expected, remedy)


def _verify(root: Path, tag: str) -> subprocess.CompletedProcess[str]:
    """Run `git verify-tag` with the keys of the repository, and none of the user's."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "GNUPGHOME": home, "LC_ALL": "C"}
        with suppress(OSError):  # without gpg, git reports that
            subprocess.run(["gpg", "--batch", "--import", root / OPENPGP], env=env, capture_output=True, check=False)
        keys = f"gpg.ssh.allowedSignersFile={(root / SSH).resolve()}"
        command = ["git", "-c", keys, "verify-tag", f"refs/tags/{tag}"]
        return subprocess.run(command, cwd=root, env=env, capture_output=True, check=False, **git.TEXT)
