"""Whether the tag is signed with a key that the repository lists."""

import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from ..errors import refusal
from ..repo import git

#: The public keys: those of SSH as in ssh-keygen(1), ALLOWED SIGNERS, those of OpenPGP as `gpg --export` writes them.
SSH, OPENPGP = ".github/allowed_signers", ".github/allowed_signers.asc"


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
