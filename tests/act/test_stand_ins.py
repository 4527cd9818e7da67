"""The stand-ins follow GitHub's rules for artifacts and filters, and every action in use has one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tagship import suite
from tests.act import events
from tests.act.artifacts import ArtifactError, Store, files
from tests.act.runner import ACTIONS
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOWS = [ROOT / path for path in (*suite.WORKFLOWS.values(), suite.COMPILED)]
EACH = pytest.mark.parametrize("path", WORKFLOWS, ids=[path.stem for path in WORKFLOWS])


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    for name in ("dist/a.whl", "dist/below/tool.sh", "dist/.hidden", "dist/.folder/file", "wheels/b.whl"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "dist/below/tool.sh").chmod(0o755)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "artifacts")


def load(path: Path) -> dict[str, Any]:
    return dict(YAML(typ="safe", pure=True).load(path))


def uses(workflow: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for job in workflow["jobs"].values():
        yield from (step for step in job["steps"] if "uses" in step)


@EACH
def test_every_action_has_a_stand_in_that_knows_the_inputs_given(path: Path) -> None:
    for step in uses(load(path)):
        action = load(ACTIONS / step["uses"].partition("@")[0].rpartition("/")[2] / "action.yml")
        assert set(step.get("with", {})) <= set(action["inputs"])


@EACH
def test_every_job_begins_with_an_action_which_makes_the_runner_a_fresh_one(path: Path) -> None:
    assert all("uses" in job["steps"][0] for job in load(path)["jobs"].values())


def test_an_artifact_keeps_paths_loses_executable_bits_and_leaves_hidden_files_out(
    workspace: Path, store: Store, tmp_path: Path
) -> None:
    store.upload("dist", files(workspace, "dist/", hidden=False), "1").unpack(tmp_path / "out")
    assert (tmp_path / "out/below/tool.sh").read_text() == "dist/below/tool.sh"
    assert (tmp_path / "out/below/tool.sh").stat().st_mode & 0o111 == 0
    assert sorted(files(workspace, "dist/", hidden=False)) == ["a.whl", "below/tool.sh"]
    assert sorted(files(workspace, "dist", hidden=True)) == [".folder/file", ".hidden", "a.whl", "below/tool.sh"]


def test_the_paths_in_an_artifact_begin_where_those_that_were_named_part(workspace: Path) -> None:
    assert sorted(files(workspace, "wheels/*.whl", hidden=False)) == ["b.whl"]
    assert sorted(files(workspace, "dist/a.whl", hidden=False)) == ["a.whl"]
    assert sorted(files(workspace, "dist/*.whl\nwheels/*.whl", hidden=False)) == ["dist/a.whl", "wheels/b.whl"]
    assert sorted(files(workspace, "dist/\n!dist/a.whl", hidden=False)) == ["below/tool.sh"]
    assert files(workspace, "nothing/", hidden=False) == {}


def test_a_name_is_taken_once_in_an_attempt_and_a_new_artifact_has_a_new_number(workspace: Path, store: Store) -> None:
    found = files(workspace, "dist/", hidden=False)
    first = store.upload("dist", found, "1")
    with pytest.raises(ArtifactError, match=r"409.*already exists"):
        store.upload("dist", found, "1")
    second = store.upload("dist", found, "2")
    third = store.upload("dist", found, "2", overwrite=True)
    assert len({first.id, second.id, third.id}) == 3
    assert store.all() == [third, first]


def test_of_two_attempts_the_highest_id_of_a_name_is_taken_which_may_be_the_first_ones(
    workspace: Path, store: Store
) -> None:
    found = files(workspace, "dist/", hidden=False)
    first, second = (store.upload("dist", found, attempt) for attempt in "12")
    assert second.id < first.id
    assert store.select(name="dist") == store.select() == [first]
    with pytest.raises(ArtifactError, match="None of the provided artifact IDs"):
        store.select(ids=f"{second.id}")


def test_artifacts_are_found_by_name_number_or_pattern_or_it_is_an_error(workspace: Path, store: Store) -> None:
    found = files(workspace, "dist/", hidden=False)
    dist, bundle = (store.upload(name, found, "1") for name in ("dist", "bundle"))
    assert store.select(ids=f"{bundle.id}") == [bundle]
    assert store.select(ids=f"{dist.id}, {bundle.id}") == store.select() == [dist, bundle]
    assert store.select(pattern="b*") == [bundle]
    for wrong, words in [
        ({"ids": "1"}, "None of the provided artifact IDs"),
        ({"ids": " ,"}, "No valid artifact IDs"),
        ({"ids": "dist"}, "Must be a number"),
        ({"name": "other"}, "'other' not found"),
        ({"name": "dist", "ids": "1"}, "cannot be used together"),
    ]:
        with pytest.raises(ArtifactError, match=words):
            store.select(**wrong)


def test_an_artifact_is_never_unpacked_outside_of_its_folder(store: Store, workspace: Path, tmp_path: Path) -> None:
    artifact = store.upload("dist", {"../noxfile.py": workspace / "dist/a.whl"}, "1")
    artifact.unpack(tmp_path / "out")
    assert not (tmp_path / "noxfile.py").exists()


@EACH
def test_the_filters_start_it_for_versions_and_release_branches_only(path: Path) -> None:
    triggers = load(path)["on"]

    def started(ref: str, name: str = "push") -> bool:
        return events.starts(triggers, events.Event(name, ref, "", {}))

    tags = ["v1", "v1.2.3", "1.2.3", "2026.1", "release-1.2", "pkg/v1.2.3", "pkg@1.0", "RELEASE_1.2.3", "a/b/1.2rc1"]
    assert [tag for tag in tags if not started(f"refs/tags/{tag}")] == []
    assert [tag for tag in ("nightly", "latest", "v", "vNext", "release/next") if started(f"refs/tags/{tag}")] == []
    assert started("refs/heads/main")
    assert started("refs/heads/master")
    assert not started("refs/heads/v1.2.3")
    assert started("refs/heads/any", "workflow_dispatch")
    assert started("refs/pull/7/merge", "pull_request")
    assert not started("refs/heads/main", "pull_request_target")
