"""What git knows about a project: its tags, its branch, the time of its commit."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import ReleaseError, refusal

#: A tag's name may contain any bytes.
TEXT: Any = {"encoding": "utf-8", "errors": "surrogateescape"}
ADDRESS = re.compile(r"(?:\w+://)?(?:[^@/]+@)?(?:ssh\.)?(?P<host>[\w.-]+)(?::\d+(?=/))?[:/]/*(?P<path>.+?)(?:\.git)?/?")
#: Undoes what somebody's configuration may add to git's output.
OFF = ("color.ui=false", "color.grep=false", "column.ui=never", "column.tag=never", "column.branch=never")
PLAIN = [option for each in (*OFF, "grep.column=false", "grep.fullName=false") for option in ("-c", each)]
#: What git has not finished, by the file or folder that is there until then.
UNFINISHED = {"MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert"}
UNFINISHED |= {"rebase-merge": "rebase", "rebase-apply": "rebase"}
#: What git suggests if a repository belongs to another user; the same in every language, with the path quoted.
ADVICE = re.compile(r"git config --global --add safe\.directory .+")


def query(root: Path, *arguments: str) -> str | None:
    """Return what `git ARGUMENTS` prints at `root`, or None if there is nothing to print.

    That is so without a repository, without a commit, or if git fails with status 1 and no message. Raises
    `ReleaseError` on any other failure of git, which is not an answer.
    """
    done = _call(root, *arguments)
    # git leaves a damaged tag out of the list with a warning: the list is incomplete.
    if done.returncode == 0 and "ignoring broken ref" not in done.stderr:
        return done.stdout.rstrip("\n")
    is_no, place = done.returncode == 1 and not done.stderr, _repository(root)
    if is_no or place is None or ("HEAD" in arguments and _is_unborn(root)):
        return None
    reason = next(filter(str.strip, done.stderr.splitlines()), f"exit status {done.returncode}")
    found, expected = f"no answer ({reason})", f"one about {root.resolve()}"
    raise refusal("git", f"git {arguments[0]}", found, expected, _remedy(done.stderr, place))


def _call(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = ["git", *PLAIN, *arguments]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_TRACE")}
    environ["LC_ALL"] = "C"  # messages, which are searched
    try:
        return subprocess.run(command, cwd=root, capture_output=True, check=False, env=environ, **TEXT)
    except OSError as error:
        reason = str(error) if shutil.which("git") else "there is no git on PATH"
        return subprocess.CompletedProcess(command, -1, "", reason)


def _is_unborn(root: Path) -> bool:
    """Return whether the branch at `root` has no commit yet, so that there is no HEAD."""
    branch = _call(root, "symbolic-ref", "--quiet", "HEAD")
    commit = _call(root, "rev-parse", "--verify", "--quiet", "HEAD")
    return branch.returncode == 0 and commit.returncode == 1 and not commit.stderr


def _repository(root: Path) -> str | None:
    """Return where the repository of `root` should be, whether or not git can read it; None if there is none."""
    here, ceilings = root.resolve(), os.environ.get("GIT_CEILING_DIRECTORIES", "").split(os.pathsep)
    folders = [here, *takewhile(lambda folder: str(folder) not in ceilings, here.parents)]
    found = (str(folder / ".git") for folder in folders if os.path.lexists(folder / ".git"))
    return os.environ.get("GIT_DIR") or next(found, None)


def _remedy(message: str, place: str) -> str:
    if not shutil.which("git"):
        return "install git, or put it on PATH"
    if advice := ADVICE.search(message):
        return f"run: {advice[0]}"
    if "GIT_DIR" in os.environ:
        return "unset GIT_DIR, or set it to the repository"
    return f"repair {place}, or clone the repository again"


def run(root: Path, *arguments: str) -> None:
    """Run `git ARGUMENTS` at `root`; raise `ReleaseError` with git's message if it fails."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False, **TEXT)
    if done.returncode:
        message = [*filter(str.strip, (done.stdout + done.stderr).splitlines())] or [f"exit status {done.returncode}"]
        raise ReleaseError(f"git {arguments[0]}: {' / '.join(message)} [git]")


def lines(root: Path, *arguments: str) -> list[str]:
    """Return the lines that `git ARGUMENTS` prints at `root`, none if `query` returns None."""
    return text.split("\n") if (text := query(root, *arguments)) else []  # others than git's line ends are text


def commit_time(root: Path) -> int | None:
    """Return the time of the commit at `root` in seconds since 1970, if there is one."""
    time = query(root, "log", "-1", "--no-show-signature", "--format=%ct", "HEAD")
    return int(time) if time else None


def symbolic(root: Path, name: str) -> str | None:
    """Return the branch that the symbolic reference `name` at `root` points to, or None if it is not symbolic."""
    return query(root, "symbolic-ref", "--quiet", "--short", name)


def changed(root: Path, *arguments: str) -> list[str]:
    """Return the files that differ from the commit at `root`, by default the tracked ones, with their exact names."""
    which = arguments or ("--untracked-files=no",)
    found = query(root, "status", "--porcelain", "--no-renames", "-z", *which) or ""
    return [entry[3:] for entry in found.split("\0") if entry]


def unfinished(root: Path) -> str:
    """Return which command of git is not finished at `root`, such as `merge`; "" if none is."""
    folder = Path(query(root, "rev-parse", "--absolute-git-dir") or root)
    return next((command for name, command in UNFINISHED.items() if (folder / name).exists()), "")


def is_shallow(root: Path) -> bool:
    """Return whether the repository at `root` lacks part of its history, as a clone with `--depth` does."""
    return query(root, "rev-parse", "--is-shallow-repository") == "true"


def tags_here(root: Path) -> list[str]:
    """Return the tags that point at the commit at `root`."""
    return lines(root, "tag", "--points-at", "HEAD")


def run_address(root: Path, remote: str, tag: str) -> str:
    """Return the URL of the runs that a push of `tag` to `remote` starts; "" if it is not known."""
    found = address(root, remote)
    host = found["host"] if found else ""
    pages = {"github": "actions/workflows/release.yml?query=branch%3A", "gitlab": "-/pipelines?ref="}
    page = next((page for name, page in pages.items() if name in host), "")
    return f"https://{host}/{found['path']}/{page}{quote(tag, safe='')}" if found and page else ""


def address(root: Path, remote: str) -> re.Match[str] | None:
    """Return the `host` and `path` in the URL of `remote`, None without one."""
    return ADDRESS.fullmatch(query(root, "ls-remote", "--get-url", remote) or "")


@contextmanager
def restoring(root: Path, files: Iterable[Path], tag: str) -> Iterator[None]:
    """If the block fails, undo its commits, its `tag`, and its changes in the index, in `files` and below `root`.

    Nothing may differ from the commit before. `files` get their exact bytes back, as git may convert line ends.
    """
    head, saved = query(root, "rev-parse", "HEAD") or "", {path: path.read_bytes() for path in files}
    everything = ("restore", "--quiet", f"--source={head}", "--staged", "--worktree", "--", ".")
    try:
        yield
    except BaseException:
        for undo in (("tag", "--delete", tag), ("reset", "--quiet", "--soft", head), everything):
            with suppress(ReleaseError):  # the first error is the reason
                run(root, *undo)
        for path, content in saved.items():
            path.write_bytes(content)
        raise


def commit(root: Path, message: str) -> None:
    """Commit the changes of tracked files below `root`; if a hook changes them, commit once more with its changes."""
    head, refused = query(root, "rev-parse", "HEAD"), None
    for _ in range(2):
        tree = _staged(root)
        amend = () if query(root, "rev-parse", "HEAD") == head else ("--amend",)
        try:
            run(root, "commit", "--quiet", *amend, "--message", message)
        except ReleaseError as error:
            if _staged(root) == tree:
                by_hand = "make the commit that --dry-run shows yourself, then release it as 'current'"
                hooked = [f"{message}: not committed; {by_hand} [commit-hooks]"] * _has_hook(root)
                raise ReleaseError(*error.args, *hooked) from error
            refused = error
        else:
            if _staged(root) == query(root, "rev-parse", "HEAD^{tree}"):
                return
    found = f"hooks that changed {', '.join(changed(root))} twice"
    expected = "hooks that change nothing on the second run"
    raise refused or refusal("commit-hooks", "git commit", found, expected, "run them, and commit")


def _has_hook(root: Path) -> bool:
    """Return whether a hook may have refused the commit."""
    folder = root / (query(root, "rev-parse", "--git-path", "hooks") or "")
    return any((folder / name).is_file() for name in ("pre-commit", "prepare-commit-msg", "commit-msg"))


def _staged(root: Path) -> str | None:
    run(root, "add", "--update", "--", ".")
    return query(root, "write-tree")


def upstream(root: Path, branch: str) -> tuple[str, str]:
    """Return the remote of `branch`, and what to push there, `HERE:THERE` if the names differ.

    By default, the remote is the only one, or `origin`.
    """
    remote, every = query(root, "config", f"branch.{branch}.remote"), lines(root, "remote")
    if remote in {None, "."}:  # the latter if it follows another branch here
        return every[0] if len(every) == 1 else "origin", branch
    there = (query(root, "config", f"branch.{branch}.merge") or branch).removeprefix("refs/heads/")
    return remote, branch if there == branch else f"{branch}:{there}"


def refspec(branch: str) -> str:
    """Return the refspec of `branch`, as `upstream` returns it."""
    return ":".join(f"refs/heads/{each}" for each in branch.split(":"))


def push(root: Path, remote: str, branch: str, tag: str) -> None:
    """Push `branch` and `tag` atomically; raise `ReleaseError` with git's message if `remote` lacks them afterwards."""
    try:
        run(root, "push", "--quiet", "--atomic", remote, refspec(branch), f"refs/tags/{tag}")
    except ReleaseError:
        with suppress(ReleaseError):  # a connection may break after the remote has accepted them
            there = (query(root, "ls-remote", remote, f"refs/tags/{tag}") or "").split()
            if query(root, "rev-parse", f"refs/tags/{tag}") in there:
                return
        raise
