"""The gate for signed tags: with keys and signatures that ssh-keygen and gpg make."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tagship import suite as managed
from tagship_suite.errors import ReleaseError
from tagship_suite.gate.history import OPENPGP, SSH, signer
from tests.archives import write_release
from tests.conftest import commit, git, release, run, try_release
from tests.suite.publishing import TAG

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Where their makers put nobody in the way, as on GitHub's runners.
GPG = shutil.which("gpg")


def ssh_key(folder: Path, name: str) -> str:
    """Make a key pair, by which git signs from now on; return the line of the public key."""
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", folder.parent / name, cwd=folder)
    for key, value in {"gpg.format": "ssh", "user.signingkey": str(folder.parent / f"{name}.pub")}.items():
        git(folder, "config", key, value)
    return (folder.parent / f"{name}.pub").read_text()


@pytest.fixture
def repository(suite: Path) -> Path:
    """A repository that requires a signed tag, and whose maintainer has an SSH key."""
    (suite / "pyproject.toml").write_text(
        '[project]\nname = "ship"\nversion = "1.0"\n[tool.tagship]\nrequire-signed-tag = true\n'
    )
    (suite / ".gitignore").write_text("dist/\nbundle/\n__pycache__/\n")
    commit(suite)
    (suite / SSH).write_text(f'maintainer@example.com namespaces="git" {ssh_key(suite, "own")}')
    commit(suite)
    return suite


def refusal(repository: Path, tag: str = "v1.0") -> str:
    with pytest.raises(ReleaseError) as refused:
        signer(repository, tag)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_tag_that_a_key_in_the_repository_has_signed_is_let_through(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "v1.0")
    done = try_release(repository, "verify", **TAG)
    assert done.returncode == 1
    assert "error: tag 'v1.0': found commit, not a signed tag object, expected one at this commit" in done.stdout
    head = git(repository, "rev-parse", "HEAD")
    assert f"; run: git tag --sign --force v1.0 {head}, git push --force origin v1.0; or add the key" in done.stdout
    git(repository, "tag", "--force", "--sign", "v1.0", head, "--message", "signed")
    done = release(repository, "verify", **TAG)
    assert "note: tag 'v1.0': Good \"git\" signature for maintainer@example.com with ED25519 key" in done.stdout


def test_a_tag_without_a_signature_or_by_another_key_is_refused(repository: Path) -> None:
    assert refusal(repository).startswith("tag 'v1.0': found no such tag, expected")
    git(repository, "tag", "--annotate", "v1.0", "--message", "not signed")
    assert "found error: no signature found, expected" in refusal(repository)
    ssh_key(repository, "stranger")
    git(repository, "tag", "--force", "--sign", "v1.0", "--message", "signed")
    assert "No principal matched" in refusal(repository)
    (repository / SSH).unlink()
    assert "Unable to open allowed keys file" in refusal(repository)


def test_a_signature_for_another_name_or_commit_is_refused(repository: Path) -> None:
    git(repository, "tag", "--sign", "v1.0", "--message", "signed")
    git(repository, "update-ref", "refs/tags/v1.1", git(repository, "rev-parse", "refs/tags/v1.0"))
    assert refusal(repository, "v1.1").startswith("tag 'v1.1': found tag v1.0 ")
    commit(repository)
    assert refusal(repository).startswith("tag 'v1.0': found tag v1.0 ")


@pytest.fixture
def gnupg(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's own keyring, with one key; its path is short, as the socket of gpg-agent is in it."""
    with tempfile.TemporaryDirectory() as home:
        monkeypatch.setenv("GNUPGHOME", home)
        user = "maintainer@example.com"
        run("gpg", "--batch", "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", cwd=Path(home))
        yield Path(home)
        run("gpgconf", "--kill", "all", cwd=Path(home))


@pytest.mark.skipif(GPG is None, reason="there is no gpg")
def test_openpgp_keys_are_those_of_the_repository_and_none_of_the_user_s(repository: Path, gnupg: Path) -> None:
    for key, value in {"gpg.format": "openpgp", "user.signingkey": "maintainer@example.com"}.items():
        git(repository, "config", key, value)
    git(repository, "tag", "--sign", "v1.0", "--message", "signed")
    git(repository, "verify-tag", "v1.0")
    assert "No public key" in refusal(repository)
    (repository / OPENPGP).write_text(run("gpg", "--armor", "--export", cwd=gnupg).stdout)
    assert 'Good signature from "maintainer@example.com"' in signer(repository, "v1.0")


def test_inv_release_signs_the_tag(repository: Path) -> None:
    release(repository, "cut", "minor")
    assert signer(repository, "v1.1.0").startswith("tag 'v1.1.0': Good")


def test_a_variable_that_whoever_starts_a_pipeline_sets_does_not_switch_it_off(repository: Path) -> None:
    write_release(repository / "dist")
    git(repository, "tag", "v1.0")
    done = try_release(repository, "verify", CI_COMMIT_TAG="v1.0", GITHUB_REF="refs/heads/main")
    assert (done.returncode, "[unsigned-tag]" in done.stdout) == (1, True)


def test_a_dev_build_has_a_tag_that_was_not_pushed_and_no_key(repository: Path) -> None:
    with (repository / "pyproject.toml").open("a") as file:
        file.write('dev-builds = "main"\n')
    (repository / managed.WORKFLOW).write_bytes(managed.workflow(dev=True))
    commit(repository)
    git(repository, "config", "user.signingkey", str(repository / "no such key"))
    write_release(repository / "dist", version="1.0.1.dev45")
    variables = {"EVENT_NAME": "push", "REF_TYPE": "branch", "REF_NAME": "main", "REF": "refs/heads/main"}
    variables |= {"RUN_NUMBER": "45", "ACTIONS": "true"}
    done = release(repository, "verify", **{f"GITHUB_{name}": value for name, value in variables.items()})
    assert "2 dists that may be published" in done.stdout
    assert git(repository, "cat-file", "-t", "v1.0.1.dev45") == "tag"
