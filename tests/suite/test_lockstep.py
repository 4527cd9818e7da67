"""Distributions in lockstep: one tag releases them all, in the order of their dependencies, or none of them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tagship.publisher import Registration
from tagship_suite.dists.reading import read_dists
from tagship_suite.errors import ReleaseError
from tagship_suite.gate.lockstep import ordered
from tagship_suite.repo.packages import chosen, every
from tagship_suite.testing.plan import plans
from tests.archives import write_sdist, write_wheel
from tests.conftest import commit, git, release, run, try_release, try_run
from tests.suite.publishing import TAG, publish, serving
from tests.suite.test_several import HERE, IGNORED, TEST, project, tag, write

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

#: As psycopg has them: settings of tools and a build system at the top, two in lockstep, and a third on its own.
TOP = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[tool.black]\n'
    '[tool.tagship]\npackages = ["core", "speedups", "pool"]\nlockstep = true\n'
)
PINNED = """[project.optional-dependencies]
c = ["ship_c[x] == {0}; python_version > '3'"]
"""
FILES = {
    "pyproject.toml": TOP,
    "core/pyproject.toml": project("ship", "1.0", PINNED.format("1.0")),
    "speedups/pyproject.toml": project("ship-c", "1.0"),
    "pool/pyproject.toml": project("ship-pool", "3.1", "[tool.tagship]\nlockstep = false\n"),
    ".gitignore": IGNORED,
}


def write_both(folder: Path, versions: tuple[str, str] = ("1.0", "1.0"), requires: str = "ship-c==1.0") -> None:
    """Write dists of `ship`, which requires `ship-c`, and of that."""
    for name, version, extra in (("ship", versions[0], (f"Requires-Dist: {requires}",)), ("ship_c", versions[1], ())):
        write_wheel(folder, name, version, extra=extra)
        write_sdist(folder, name, version, extra=extra)


@pytest.fixture
def repository(suite: Path) -> Path:
    commit(write(suite, FILES))
    return suite


def test_a_tag_without_a_name_releases_those_in_lockstep_and_no_other_does(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    assert [(each.name, each.suffix, each.tag("2")) for each in every(tmp_path)] == [
        ("ship", "", "v2"),
        ("ship-c", "", "v2"),
        ("ship-pool", "-ship-pool", "ship-pool/v2"),
    ]
    for name in ("v1.0", "1.0", "release-1.0"):
        assert [each.name for each in chosen(tmp_path, tag(name))] == ["ship", "ship-c"]
    assert [each.name for each in chosen(tmp_path, tag("ship-pool-3.1"))] == ["ship-pool"]
    for name in ("ship/v1.0", "ship-c/v1.0"):
        with pytest.raises(ReleaseError, match=r"expected 'vX\.Y\.Z' or 'ship-pool/vX\.Y\.Z'; this tag releases"):
            chosen(tmp_path, tag(name))


@pytest.mark.parametrize(
    ("requires", "order"),
    [
        ({"a": ["b"], "b": ["c>=1"], "c": []}, ["c", "b", "a"]),
        ({"a": ["b; extra == 'fast'"], "b": []}, ["b", "a"]),
        # An extra that leads back says nothing: the other requirement does.
        ({"a": ["b; extra == 'all'"], "b": ["a"]}, ["a", "b"]),
        ({"a": ["b"], "b": ["a"]}, ["a", "b"]),
    ],
)
def test_each_is_published_after_those_that_it_depends_on(
    requires: dict[str, list[str]], order: list[str], tmp_path: Path
) -> None:
    for name, texts in requires.items():
        write_wheel(tmp_path, name, extra=tuple(f"Requires-Dist: {text}" for text in texts))
    assert [group[0].name for group in ordered(read_dists(tmp_path))] == order


def test_the_tests_on_a_tag_use_the_others_in_lockstep_from_here(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "pyproject.toml": f'{TOP}test-requires = ["pytest"]\n'})
    plan, _ = plans(tmp_path, "", HERE, tag("v1.0"))
    constraints = (tmp_path / ".nox/siblings-ship.txt").read_text()
    assert "--constraint" in plan.arguments
    assert constraints == f"ship-c @ {(tmp_path / 'speedups').as_uri()}\n", "and ship-pool from the index"


def test_the_gate_refuses_versions_that_differ_and_dependencies_that_exclude_each_other(repository: Path) -> None:
    write_both(repository / "dist", ("1.0", "1.1"))
    done = try_release(repository, "verify", **tag("v1.0"))
    assert done.returncode == 1
    assert "ship_c-1.1-py3-none-any.whl: found '1.1', expected '1.0', that of ship (lockstep); set one" in done.stdout
    excluded = "dependency: found 'ship-c==1.0', expected one that allows 1.1, which is released with it"
    assert excluded in done.stdout
    assert not (repository / "bundle").exists()


def test_the_gate_refuses_a_root_of_its_own_whose_tag_would_release_the_others_too(repository: Path) -> None:
    write(repository, {"pyproject.toml": project("top", "1.0", '[tool.tagship]\npackages = ["core", "speedups"]\n')})
    for folder in ("core", "speedups"):
        with (repository / folder / "pyproject.toml").open("a") as file:
            file.write("[tool.tagship]\nlockstep = true\n")
    write_both(repository / "dist")
    write_sdist(repository / "dist", "top")
    done = try_release(repository, "verify", **tag("v1.0"))
    assert done.returncode == 1
    assert "[tool.tagship] lockstep: found false, but true for distributions below it, expected true" in done.stdout


@pytest.fixture
def bundle(repository: Path, tmp_path: Path) -> Path:
    write_both(repository / "dist")
    done = release(repository, "verify", GITHUB_OUTPUT=str(tmp_path / "output"), **TAG)
    assert "bundle: 4 dists that may be published" in done.stdout
    assert (tmp_path / "output").read_text().splitlines()[-1] == "suffix="
    return (repository / "bundle").rename(tmp_path / "bundle")


def uploads(servers: Servers) -> list[str]:
    return [upload.filename for upload in servers.index.uploads() if upload.status == 200]


def test_what_a_run_leaves_out_the_next_one_publishes(bundle: Path, tmp_path: Path) -> None:
    first = Registration("ship-c", "Octo", "ship", "release.yml", "pypi", "77")
    with serving(tmp_path / "index", first) as servers:
        done = publish(bundle, servers)
        assert done.returncode == 1
        assert "error: ship: not published, but ship-c; run this job again: it skips what is published" in done.stdout
        assert uploads(servers) == ["ship_c-1.0-py3-none-any.whl", "ship_c-1.0.tar.gz"], "the one that ship needs"
        # Now that no pending publisher has this environment, the other project may have one.
        servers.index.register_pending(Registration("ship", "Octo", "ship", "release.yml", "pypi", "77"))
        done = publish(bundle, servers)
        assert done.returncode == 0, done.stdout
        assert "ship_c-1.0.tar.gz  skipped, same bytes" in done.stdout
        assert uploads(servers)[2:] == ["ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"]


def test_nothing_is_uploaded_if_one_of_them_must_not_be(bundle: Path, tmp_path: Path) -> None:
    registered = Registration("ship-c", "Octo", "ship", "release.yml", "pypi", "77")
    with serving(tmp_path / "index", registered) as servers:
        servers.index.put_release("ship", "1.0", files={"ship-1.0.tar.gz": b"other bytes"})
        done = publish(bundle, servers)
        assert done.returncode == 1
        assert "ship-1.0.tar.gz at https://upload.pypi.org/legacy/: found SHA-256" in done.stdout
        assert (uploads(servers), servers.index.mints()) == ([], [])


def tagship(folder: Path, *arguments: str | Path) -> str:
    return run(sys.executable, "-m", "tagship", *arguments, cwd=folder).stdout


def test_publisher_and_plan_say_what_sharing_an_environment_and_a_tag_means(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "git@github.com:Octo/ship.git")
    said = tagship(repository, "publisher")
    assert said.count("Environment name  pypi\n") == said.count("Environment name  testpypi\n") == 2
    assert "environment 'pypi': an index accepts only one pending publisher with these values at a time" in said
    assert "If several of ship, ship-c are new, register the one that others depend on" in said
    write(repository, {"speedups/pyproject.toml": project("ship-c", "1.1")})
    commit(repository)
    plans = json.loads(
        try_run(sys.executable, "-m", "tagship", "plan", "--offline", "--format", "json", cwd=repository).stdout
    )
    (ship, other, pool) = plans
    assert (ship["tag"], other["tag"], pool["tag"]) == ("v1.0", "v1.1", "ship-pool/v3.1")
    assert "released with ship, by the same tag (lockstep)" in other["notes"]
    assert any(
        "ship-c: found version '1.1', expected '1.0' as of ship (lockstep)" in each for each in other["problems"]
    )


@pytest.mark.slow
def test_a_rehearsal_publishes_all_in_lockstep_and_installs_them_together(repository: Path) -> None:
    python = 'requires-python = ">=3.10"\n'
    needs = f'{python}dependencies = ["ship-c==1.0"]\n[dependency-groups]\ntest = ["pytest"]\n'
    code = {
        "core/pyproject.toml": project("ship", "1.0", needs),
        "core/ship.py": '"""Ship."""\n\nimport ship_c\n\n__version__ = ship_c.__version__\n',
        "core/tests/test_ship.py": TEST.format("ship", "1.0"),
        "speedups/pyproject.toml": project("ship-c", "1.0", python + "[tool.tagship]\ntest-command = []\n"),
        "speedups/ship_c.py": '"""Speedups."""\n\n__version__ = "1.0"\n',
    }
    commit(write(repository, code))
    git(repository, "remote", "add", "origin", "git@github.com:Octo/ship.git")
    report = json.loads(tagship(repository, "rehearse", "--format", "json"))
    assert report["passed"], report
    assert (report["name"], report["tag"]) == ("ship, ship-c", "v1.0")
    assert sorted(file["name"] for file in report["files"] if file["index"] == "pypi") == [
        *("ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz", "ship_c-1.0-py3-none-any.whl", "ship_c-1.0.tar.gz")
    ]
    assert {each["seen"]["environment"] for each in report["publishers"]} == {"pypi", "testpypi"}


def test_inv_release_bumps_all_in_lockstep_with_the_versions_that_they_pin(repository: Path) -> None:
    log = "# Changes\n\n## Unreleased\n\n- New.\n"
    write(repository, {"CHANGELOG.md": log, "speedups/CHANGELOG.md": log, "pool/CHANGELOG.md": log})
    commit(repository)
    git(repository, "tag", "1.0")
    for wanted in ("ship-c/minor", "minor"):
        done = release(repository, "cut", wanted)
        assert done.stdout.startswith("1.1.0: committed and tagged here"), done.stdout
        changed = git(repository, "show", "--name-only", "--format=%s").splitlines()
        files = ["CHANGELOG.md", "core/pyproject.toml", "speedups/CHANGELOG.md", "speedups/pyproject.toml"]
        assert changed == ["Release 1.1.0", "", *files]
        git(repository, "tag", "-d", "1.1.0")
        pinned = PINNED.format("1.1.0")
        assert (repository / "core/pyproject.toml").read_text() == project("ship", "1.1.0", pinned)
        git(repository, "reset", "-q", "--hard", "HEAD~1")
    done = release(repository, "cut", "ship-pool/patch")
    assert done.stdout.startswith("ship-pool/v3.1.1: committed")
    write(repository, {"speedups/pyproject.toml": project("ship-c", "0.9")})
    commit(repository)
    refused = try_release(repository, "cut", "patch")
    assert "speedups/pyproject.toml: found '0.9', expected '1.0' as in core/pyproject.toml" in refused.stdout
