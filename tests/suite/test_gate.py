"""verify-version, on real dists and as the session runs it."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from tagship_suite.build import epoch
from tagship_suite.repo.versions import current
from tests.archives import write_release, write_sdist, write_wheel
from tests.conftest import commit, git, release, try_release

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def on_tag(tag: str) -> dict[str, str]:
    return {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": tag}


def refusal(suite: Path, **env: str) -> str:
    """Run the gate, which must refuse and leave no bundle; return what it said."""
    done = try_release(suite, "verify", **env)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    assert not (suite / "bundle").exists()
    return done.stdout


@pytest.mark.parametrize("tag", ["v1.0", "1.0", "1.0.0", "ship/v1.0", "RELEASE_1.0", "version-1.0"])
def test_the_right_tag_passes_and_leaves_a_bundle(suite: Path, tag: str) -> None:
    write_release(suite / "dist", body='__version__ = "1.0"\n')
    done = release(suite, "verify", **on_tag(tag))
    assert f"tag {tag!r}" in done.stdout
    bundle = suite / "bundle"
    sums = {name: digest for digest, name in map(str.split, (bundle / "SHA256SUMS").read_text().splitlines())}
    files = {path.relative_to(bundle).as_posix(): path for path in bundle.rglob("*") if path.is_file()}
    assert sums == {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "SHA256SUMS"
    }
    assert {"dist/ship-1.0.tar.gz", "dist/ship-1.0-py3-none-any.whl", "noxfile.py"} <= set(files)
    assert {".github/release/tagship_suite/__main__.py", ".github/release/requirements/tools.txt"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]


@pytest.mark.parametrize(
    "tag", ["v1.1", "v1.0.0;id", "v１.0", "v1.0\n", "v1.0\nv1.0", "latest", "other/v1.0", "v1.0rc1"]
)
def test_a_wrong_tag_is_named_with_the_version_expected(suite: Path, tag: str) -> None:
    write_release(suite / "dist")
    said = refusal(suite, **on_tag(tag))
    assert f"tag {tag!r}: found" in said
    assert "expected version '1.0'" in said


@pytest.mark.parametrize("prefix", ["", "v", "ship-", "release/"])
def test_the_right_tag_is_shown_in_the_form_of_the_wrong_one(suite: Path, prefix: str) -> None:
    write_release(suite / "dist")
    assert f"expected version '1.0', as in '{prefix}1.0';" in refusal(suite, **on_tag(f"{prefix}1.1"))


def test_a_tag_may_join_the_numbers_of_its_version_with_underscores(suite: Path) -> None:
    write_release(suite / "dist")
    assert "expected version '1.0', as in 'rel_1_0';" in refusal(suite, **on_tag("rel_1_1"))
    assert "tag 'rel_1_0'" in release(suite, "verify", **on_tag("rel_1_0")).stdout


def test_an_old_tag_below_changes_is_not_to_be_deleted(suite: Path) -> None:
    commit(suite)
    git(suite, "tag", "v1.0")
    (suite / "tasks.py").write_text("# the next release\n")
    write_release(suite / "dist", version="1.1")
    said = refusal(suite)
    assert "tag 'v1.0': found version '1.0', expected version '1.1', as in 'v1.1'; commit your changes" in said
    assert "delete" not in said


def test_a_branch_of_a_releases_name_is_not_a_tag(suite: Path) -> None:
    write_release(suite / "dist")
    done = release(suite, "verify", GITHUB_REF_TYPE="branch", GITHUB_REF_NAME="v9.9")
    assert "branch 'v9.9'" in done.stdout


def test_a_module_that_names_another_version_is_found_in_wheel_and_sdist(suite: Path) -> None:
    write_release(suite / "dist", body='# __version__ = "1.0"\n__version__: str = "0.9"\n')
    said = refusal(suite)
    assert "dist/ship-1.0.tar.gz: ship-1.0/src/ship/__init__.py __version__: found '0.9', expected '1.0'" in said
    assert "dist/ship-1.0-py3-none-any.whl: ship/__init__.py __version__: found '0.9', expected '1.0'" in said


def test_versions_of_tests_and_docs_in_an_sdist_are_their_own(suite: Path) -> None:
    wrong = '__version__ = "0.1"\n'
    write_sdist(
        suite / "dist",
        files={"tests/__init__.py": wrong, "docs/conf.py": wrong, "ship/vendored/__init__.py": wrong},
    )
    write_wheel(suite / "dist")
    release(suite, "verify")


def test_two_versions_a_stray_file_and_another_project_are_each_named(suite: Path) -> None:
    write_release(suite / "dist")
    write_wheel(suite / "dist", version="1.1")
    write_wheel(suite / "dist", name="other")
    said = refusal(suite, **on_tag("v1.2"))
    assert "dist/ship-1.1-py3-none-any.whl: found '1.1'" in said or "found '1.0', expected '1.1'" in said
    assert "'other'" in said
    assert "tag 'v1.2'" in said
    (suite / "dist/notes.txt").write_text("hello")
    (suite / "dist/link.whl").symlink_to("ship-1.0-py3-none-any.whl")
    said = refusal(suite)
    assert "dist/notes.txt: found no dist" in said
    assert "dist/link.whl: found no dist" in said


def test_nothing_in_a_dist_is_a_command_to_the_runner(suite: Path) -> None:
    write_release(suite / "dist", body='__version__ = "1.0\\n::add-mask::1"\n')
    (suite / "dist/stray\n::stop-commands::pause").write_text("")
    wheel = suite / "dist/ship-1.0-py3-none-any.whl"
    shutil.copy(wheel, wheel.with_name("ship-1.0-py3-\n::add-path::x-any.whl"))
    said = refusal(suite, GITHUB_ACTIONS="true")
    assert "found no dist (a name of several lines)" in said
    assert "stray ::stop-commands::pause" in said
    assert {line.split("::")[1] for line in said.splitlines() if line.startswith("::")} == {"error"}


def test_metadata_that_differs_from_the_file_name_is_found(suite: Path) -> None:
    path = write_wheel(suite / "dist", version="1.0")
    path.rename(path.with_name("ship-2.0-py3-none-any.whl"))
    assert "found metadata of 'ship' '1.0', expected ship 2.0" in refusal(suite)


def without_headers(path: Path) -> None:
    """Take everything out of the metadata of the dist at `path`."""
    new = path.with_suffix(".new")
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(new, "w") as other:
            for name in archive.namelist():
                other.writestr(name, b"" if name.endswith("/METADATA") else archive.read(name))
    else:
        with tarfile.open(path) as tar, tarfile.open(new, "w:gz") as to:
            for entry in tar:
                file = tar.extractfile(entry)
                entry.size = 0 if entry.name.endswith("/PKG-INFO") else entry.size
                to.addfile(entry, file)
    new.replace(path)


@pytest.mark.parametrize("which", [0, 1])
def test_a_dist_whose_metadata_has_no_headers_is_a_problem(suite: Path, which: int) -> None:
    path = write_release(suite / "dist")[which]
    without_headers(path)
    for env in ({}, on_tag("v1.0")):
        said = refusal(suite, **env)
        assert f"error: dist/{path.name}: found metadata without a Name, expected 'ship'; build it again" in said


def test_a_local_version_is_refused(suite: Path) -> None:
    write_release(suite / "dist", version="1.0+abc")
    for env in ({}, on_tag("v1.0+abc"), on_tag("v1.0")):
        said = refusal(suite, **env)
        assert "dist/ship-1.0+abc.tar.gz: found '1.0+abc', expected nothing after '1.0'" in said


def test_a_version_that_is_written_as_between_releases_is_only_refused_on_a_tag(suite: Path) -> None:
    write_release(suite / "dist", version="1.0+dev")
    said = release(suite, "verify").stdout
    assert "a build between releases" in said
    assert said.splitlines()[-1] == "bundle: 2 dists"
    assert "or correct the version" in refusal(suite, **on_tag("v1.0"))


def test_a_build_between_tags_is_noted_and_only_refused_on_a_tag(suite: Path) -> None:
    commit(suite)
    version = f"1.0.dev3+g{git(suite, 'rev-parse', '--short=8', 'HEAD')}"
    write_release(suite / "dist", version=version)
    assert "a build between releases" in release(suite, "verify").stdout
    git(suite, "tag", "v1.0")
    said = refusal(suite)
    assert "build again, on the tag and from a clean tree" in said
    assert f"expected version '{version}'" in said


SCM = '[project]\nname = "ship"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'


@pytest.fixture
def derived(suite: Path) -> Path:
    """A repository whose version is derived from its tags, with the dists of a build between two of them."""
    (suite / "pyproject.toml").write_text(SCM)
    (suite / ".gitignore").write_text("/dist/\n/bundle/\n__pycache__/\n")
    commit(suite)
    write_release(suite / "dist", version=f"1.1.dev1+g{git(suite, 'rev-parse', '--short=9', 'HEAD')}")
    return suite


def test_without_the_tag_a_derived_version_is_noted_with_what_to_do(derived: Path) -> None:
    said = release(derived, "verify").stdout
    assert "note: git: found no tag at this commit, expected one that names the version; run: git fetch" in said


def test_a_tag_that_only_the_ci_service_knows_is_named(derived: Path) -> None:
    said = refusal(derived, **on_tag("v1.0"))
    assert "git: found no tag at this commit" in said
    assert "or git tag v1.0, then nox -s build" in said


def test_a_tag_with_a_prefix_that_only_the_build_knows_is_named_with_what_to_do(derived: Path) -> None:
    git(derived, "tag", "py-v1.0")
    shutil.rmtree(derived / "dist")
    write_release(derived / "dist")
    said = refusal(derived, **on_tag("py-v1.0"))
    cause = "tag 'py-v1.0': found a tag that does not belong to ship, expected one such as 'v1.0'; "
    assert f"error: {cause}make the build's tag pattern match such tags, commit that, and push one" in said
    assert "run: git" not in said


def test_a_tag_that_the_build_does_not_read_is_named(derived: Path) -> None:
    git(derived, "tag", "v1.0")
    said = refusal(derived, **on_tag("v1.0"))
    assert "run: nox -s build; if that changes nothing" in said
    assert "or the build's tag pattern ignores v1.0: correct it" in said


def test_a_dirty_tree_is_named_with_its_files_even_if_the_version_is_right(derived: Path) -> None:
    git(derived, "tag", "v1.0")
    (derived / "pyproject.toml").write_text(SCM + "# changed\n")
    cause = "git: found 1 changed files (pyproject.toml), expected a clean tree; commit or stash them"
    assert cause in refusal(derived)
    shutil.rmtree(derived / "dist")
    write_release(derived / "dist")
    assert cause in refusal(derived)


def test_a_shallow_clone_is_named(derived: Path, tmp_path: Path) -> None:
    commit(derived)
    clone = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth=1", derived.as_uri(), str(clone))
    write_release(clone / "dist", version=f"0.1.dev1+g{git(clone, 'rev-parse', '--short=9', 'HEAD')}")
    cause = "git: found a shallow clone, expected the whole history, from which the version is derived"
    assert f"note: {cause}" in release(clone, "verify").stdout
    said = refusal(clone, **on_tag("v1.0"))
    assert next(line for line in said.splitlines() if line.startswith("error: ")).startswith(f"error: {cause}")
    assert "delete" not in said  # the tag may be right: the version is not


def test_dists_from_before_the_tag_are_reported_as_old(derived: Path) -> None:
    git(derived, "tag", "v1.0")
    assert "dist: found dists from before the tag, expected dists of this commit; run: nox -s build" in refusal(derived)


def test_the_history_is_not_blamed_for_a_version_that_is_written_in_a_file(suite: Path) -> None:
    (suite / "pyproject.toml").write_text('[project]\nname = "ship"\nversion = "1.0"\n')
    commit(suite)
    write_release(suite / "dist")
    assert "git: found" not in refusal(suite, **on_tag("v1.1"))


def test_a_dev_version_needs_a_tag_that_names_it(suite: Path) -> None:
    write_release(suite / "dist", version="1.0.dev1")
    assert "found version '1.0', expected version '1.0.dev1'" in refusal(suite, **on_tag("v1.0"))
    release(suite, "verify", **on_tag("v1.0.dev1"))
    release(suite, "verify")


def test_gits_own_tags_count_if_no_ci_says_otherwise(suite: Path) -> None:
    commit(suite)
    write_release(suite / "dist")
    git(suite, "tag", "latest")
    assert "note: on branch 'main'" in release(suite, "verify").stdout
    git(suite, "tag", "v2.0")
    assert "tag 'v2.0': found version '2.0', expected version '1.0'" in refusal(suite)
    git(suite, "tag", "v1.0")
    assert "tag 'v1.0'" in release(suite, "verify").stdout
    assert "CI_COMMIT_TAG" not in refusal(suite, CI_COMMIT_TAG="v3.0")


def chown(suite: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root")
    os.chown(suite, 12345, -1)


def cut_off(suite: Path) -> None:
    shutil.rmtree(suite / ".git")
    (suite / ".git").write_text("gitdir: /nowhere")


DUBIOUS = "fatal: detected dubious ownership in repository at '{}'"
ADVICE = "run: git config --global --add safe.directory {}"
REPAIR = "repair {}/.git, or clone the repository again"
#: How git is kept from answering: what is done, the environment of the run, git's words, and what to do.
SILENCES: dict[str, tuple[Callable[[Path], object], dict[str, str], str, str]] = {
    "another user's": (chown, {}, DUBIOUS, ADVICE),
    "as if another user's": (str, {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1"}, DUBIOUS, ADVICE),
    "a wrong GIT_DIR": (
        str,
        {"GIT_DIR": "/nowhere"},
        "fatal: not a git repository: '/nowhere'",
        "unset GIT_DIR, or set it to the repository",
    ),
    "no git": (str, {"PATH": "/nowhere"}, "there is no git on PATH", "install git, or put it on PATH"),
    "a broken HEAD": (lambda suite: (suite / ".git/HEAD").write_text("?"), {}, "fatal: not a git repository", REPAIR),
    "a broken branch": (lambda suite: (suite / ".git/refs/heads/main").write_text("?"), {}, "", REPAIR),
    "a broken configuration": (lambda suite: (suite / ".git/config").write_text("[["), {}, "fatal: bad config", REPAIR),
    "a worktree of nothing": (cut_off, {}, "fatal: not a git repository: /nowhere", REPAIR),
    "no objects": (lambda suite: list(map(shutil.rmtree, (suite / ".git/objects").iterdir())), {}, "", REPAIR),
}


@pytest.mark.parametrize("silence", SILENCES)
def test_if_git_cannot_answer_nothing_passes_and_nothing_is_dated(suite: Path, silence: str) -> None:
    spoil, env, words, remedy = SILENCES[silence]
    commit(suite)
    git(suite, "tag", "v1.0")
    write_release(suite / "dist")
    spoil(suite)
    for said in (refusal(suite, **env), try_release(suite, "prepare", **env).stdout):
        (line,) = [line for line in said.splitlines() if "error:" in line]
        assert line.startswith("error: git ")
        assert f": found no answer ({words}".format(suite) in line
        assert f", expected one about {suite}; {remedy}".format(suite) in line
    assert (suite / "dist").is_dir()  # `prepare` refused before it did anything


def test_a_broken_tag_is_not_no_tag(suite: Path) -> None:
    commit(suite)
    write_release(suite / "dist")
    (suite / ".git/refs/tags/v9.9").write_text("broken")
    assert "git tag: found no answer (warning: ignoring broken ref refs/tags/v9.9)" in refusal(suite)


def test_a_broken_index_is_not_a_clean_tree(suite: Path) -> None:
    commit(suite)
    write_release(suite / "dist")
    (suite / ".git/index").write_text("broken")
    assert "git status: found no answer (" in refusal(suite, **on_tag("v1.0"))


@pytest.mark.parametrize("env", [{}, {"PATH": "/nowhere"}])
def test_without_a_repository_git_is_not_missed(suite: Path, env: dict[str, str]) -> None:
    write_release(suite / "dist")
    assert "note: on no tag" in release(suite, "verify", **env).stdout
    assert release(suite, "prepare", **env).stdout.split()[0] == "315532800"


def test_in_a_repository_without_a_commit_there_is_no_tag_yet(suite: Path) -> None:
    git(suite, "init", "-q")
    write_release(suite / "dist")
    assert "note: on branch 'main'" in release(suite, "verify").stdout
    assert release(suite, "prepare").stdout.split()[0] == "315532800"


def test_a_repository_beyond_gits_ceiling_is_none(suite: Path) -> None:
    (suite.parent / ".git").mkdir()
    write_release(suite / "dist")
    assert "git tag: found no answer (fatal: not a git repository" in refusal(suite)
    assert "note: on no tag" in release(suite, "verify", GIT_CEILING_DIRECTORIES=str(suite.parent)).stdout


def test_what_the_ci_service_sets_is_not_queried_from_git(suite: Path) -> None:
    commit(suite)
    shutil.rmtree(suite / ".git/objects")
    assert current(suite, on_tag("v1.0")).tags == ("v1.0",)
    assert "git log: found no answer" in try_release(suite, "prepare", **on_tag("v1.0")).stdout
    assert epoch(suite, {"SOURCE_DATE_EPOCH": "1700000000"}) == 1700000000


@pytest.mark.parametrize(("given", "found"), [("0", 315532800), ("4294967296", 4294967295), ("9" * 5000, 4294967295)])
def test_a_time_that_no_archive_can_hold_is_the_nearest_one(given: str, found: int, tmp_path: Path) -> None:
    assert epoch(tmp_path, {"SOURCE_DATE_EPOCH": given}) == found


def test_the_configured_file_and_pattern_must_agree(suite: Path) -> None:
    write_release(suite / "dist")
    config = "[tool.tagship]\nversion-file = 'setup.py'\nversion-pattern = 'version=\"(.*)\"'\n"
    (suite / "pyproject.toml").write_text(config)
    (suite / "setup.py").write_text('setup(version="0.9")\n')
    assert "setup.py: found '0.9', expected '1.0'" in refusal(suite)
    (suite / "setup.py").write_text('setup(version="1.0")\n')
    assert "setup.py" in release(suite, "verify").stdout
    (suite / "setup.py").unlink()
    assert "setup.py: found No such file" in refusal(suite)


def test_settings_that_are_wrong_are_all_named(suite: Path) -> None:
    write_release(suite / "dist")
    (suite / "pyproject.toml").write_text(
        "[tool.tagship]\nversion-pattern = '['\ntest-comand = 'x'\nattestations = 'no'\n"
        "file-limit = 50\ntest-in-place = 'yes'\n"
    )
    said = refusal(suite)
    assert "version-pattern: found '['" in said
    assert "'test-comand', expected one of pythons, test-command" in said
    assert "attestations: found 'no', expected one of required, optional, off" in said
    assert "file-limit: found 50, expected a number of MiB, 100 or more" in said
    assert "test-in-place: found 'yes', expected true or false" in said
    (suite / "pyproject.toml").write_text("[tool.tagship\n")
    assert "pyproject.toml: found" in refusal(suite)


def test_a_tag_outside_the_release_branches_is_refused(suite: Path) -> None:
    (suite / "pyproject.toml").write_text("[tool.tagship]\nrelease-branches = ['main']\n")
    commit(suite)
    git(suite, "switch", "-qc", "topic")
    commit(suite)
    git(suite, "tag", "v1.0")
    write_release(suite / "dist")
    assert "v1.0: found a commit on topic, expected one on main (release-branches)" in refusal(suite)
    git(suite, "branch", "-f", "main")
    release(suite, "verify")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"extra": ("Requires-Dist: other @ https://example.org/other.whl",)}, "dependency 'other @"),
        ({"tag": "cp312-cp312-linux_x86_64"}, "found platform 'linux_x86_64', which PyPI refuses, expected manylinux"),
        ({"extra": (f"Summary: {'x' * 600}",)}, "a longer summary"),
    ],
)
def test_what_the_index_would_refuse_is_refused_now(suite: Path, arguments: dict[str, object], words: str) -> None:
    write_wheel(suite / "dist", **arguments)  # type: ignore[arg-type]
    said = refusal(suite)
    assert words in said
    assert "dist/ship-1.0" in said


def test_an_archive_that_does_not_open_is_named(suite: Path) -> None:
    path = write_wheel(suite / "dist")
    path.write_bytes(path.read_bytes()[:100])
    assert "a broken archive" in refusal(suite)


def test_no_dists_at_all_says_what_to_run(suite: Path) -> None:
    assert "dist: found no dists, expected an sdist and wheels; run: nox -s build" in refusal(suite)


def test_an_earlier_bundle_does_not_outlive_a_refusal(suite: Path) -> None:
    write_release(suite / "dist")
    release(suite, "verify", **on_tag("v1.0"))
    assert (suite / "bundle").is_dir()
    refusal(suite, **on_tag("v1.1"))


def test_on_github_the_summary_has_the_table_and_problems_are_annotations(suite: Path, tmp_path: Path) -> None:
    write_release(suite / "dist", body='__version__ = "1.0"\n')
    summary = tmp_path / "summary.md"
    release(suite, "verify", **on_tag("v1.0"), GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text()
    assert "| `dist/ship-1.0.tar.gz` | `1.0` |" in text
    assert "| `tag 'v1.0'` | `1.0` |" in text
    said = refusal(suite, **on_tag("v1.1"), GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    assert "::error::tag 'v1.1': found version '1.1'" in said


@pytest.mark.parametrize(
    "body",
    [
        'try:\n    from ._v import version as __version__\nexcept ImportError:\n    __version__ = "unknown"\n',
        'try:\n    __version__ = version("ship")\nexcept LookupError:\n    __version__ = "0.0.0+unknown"\n',
        "__version__ = version('ship')\n",
    ],
)
def test_what_a_module_falls_back_to_is_not_its_version(suite: Path, body: str) -> None:
    write_release(suite / "dist", body=body)
    release(suite, "verify")


def test_a_module_shipped_with_the_project_has_its_own_version(suite: Path) -> None:
    write_wheel(suite / "dist", files={"six.py": '__version__ = "1.16"\n', "ship/__init__.py": '__version__ = "1.0"\n'})
    release(suite, "verify")


@pytest.mark.parametrize(
    "files",
    [
        {"space/ship/__init__.py": '__version__ = "0.9"\n'},
        {"ship/__init__.py": '\ufeff__version__ = "0.9"\n'},
        {
            "ship-1.0.data/purelib/ship/_version.py": '__version__ = "0.9"\n',
            "ship-1.0.data/purelib/ship/__init__.py": "",
        },
        {
            "ship-1.0.data/data/lib/python3.12/site-packages/ship/_version.py": '__version__ = "0.9"\n',
            "ship-1.0.data/data/lib/python3.12/site-packages/ship/__init__.py": "",
        },
    ],
)
def test_a_version_that_differs_is_found_in_any_place(suite: Path, files: dict[str, str]) -> None:
    write_wheel(suite / "dist", files=files)
    assert "__version__: found '0.9', expected '1.0'" in refusal(suite)


def test_what_cannot_be_read_is_named_together_with_what_is_wrong(suite: Path) -> None:
    write_release(suite / "dist")
    broken = write_wheel(suite / "dist", name="broken")
    broken.write_bytes(broken.read_bytes()[:100])
    (suite / "dist/notes.txt").write_text("hello")
    (suite / "pyproject.toml").write_text("[tool.tagship]\nattestations = 'no'\n")
    said = refusal(suite, **on_tag("v7.0"))
    for words in ("attestations: found 'no'", "dist/notes.txt", "dist/broken-1.0", "tag 'v7.0': found version '7.0'"):
        assert words in said


def test_a_branch_that_looks_like_another_is_not_it(suite: Path) -> None:
    (suite / "pyproject.toml").write_text("[tool.tagship]\nrelease-branches = ['main']\n")
    commit(suite)
    git(suite, "branch", "-m", "refs/heads/main")
    git(suite, "tag", "v1.0")
    write_release(suite / "dist")
    assert "expected one on main (release-branches)" in refusal(suite)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", "[tool]\ntagship = 3\n"),
        ("pyproject.toml", "project = 3\ntool = 3\n"),
        ("pyproject.toml", "[tool.tagship]\ntest-command = 'x \"y'\n"),
        ("pyproject.toml", "[dependency-groups]\ntest = 3\n"),
        ("pyproject.toml", "[dependency-groups]\ntest = [{x = 1}]\n"),
        ("pyproject.toml", '[project]\nname = "ship"\nversion = "1.0.0 ; c"\n'),
        ("pyproject.toml", "[broken"),
        ("setup.cfg", "broken\n[x]\n[x]\n"),
        ("setup.py", "this is no python ("),
    ],
)
def test_no_file_of_a_project_causes_a_traceback(suite: Path, name: str, text: str) -> None:
    (suite / name).write_text(text)
    (suite / "test_x.py").write_text("")
    commit(suite)
    git(suite, "tag", "v1.0")
    write_release(suite / "dist")
    for verb in (["verify"], ["pythons"], ["cut", "patch"], ["describe"]):
        said = try_release(suite, *verb).stdout
        assert "Traceback" not in said, said
