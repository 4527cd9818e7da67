"""docs/other-ci.md: its commands are run, and its files are as their services want them."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.act.conftest import supports
from tests.act.pythons import HERE
from tests.conftest import ROOT, check_schema, commit, git, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Pypiserver

PAGE = (ROOT / "docs/other-ci.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", PAGE, re.DOTALL)
CHECK, PUBLISH = (text.splitlines() for kind, text in BLOCKS if kind == "sh")
SERVICES = {"circle-ci": "# .circleci", "azure-pipelines": "# azure-pipelines"}


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES)
def test_the_file_of_a_service_is_as_its_schema_has_it(service: str, tmp_path: Path) -> None:
    (text,) = (text for kind, text in BLOCKS if kind == "yaml" and text.startswith(SERVICES[service]))
    (tmp_path / "file.yml").write_text(text)
    check_schema("--regex-variant=nonunicode", f"--builtin-schema=vendor.{service}", tmp_path / "file.yml")


def test_every_service_runs_the_same_commands() -> None:
    files = [text for kind, text in BLOCKS if kind == "groovy" or text.startswith(tuple(SERVICES.values()))]
    assert len(files) == 3
    for text in files:
        assert [text.count(command) for command in (CHECK[0], CHECK[1], PUBLISH[1])] == [2, 1, 1]


@pytest.mark.slow
def test_the_commands_build_in_a_checkout_and_publish_from_nothing_but_the_bundle(
    project: Path, pypiserver: Pypiserver, tmp_path: Path
) -> None:
    supports(project, HERE)
    commit(project)
    git(project, "tag", "v0.1.0")
    for command in CHECK[1:]:  # nox is installed
        run("bash", "-c", command, cwd=project, CI="true")
    bundle = tmp_path / "job/bundle"
    shutil.copytree(project / "bundle", bundle)
    said = run("bash", "-c", PUBLISH[1], cwd=bundle, CI="true", CI_COMMIT_TAG="v0.1.0", **pypiserver.twine).stdout
    for path in (bundle / "dist").iterdir():
        assert f"{path.name}  uploaded" in said
        assert (pypiserver.folder / path.name).read_bytes() == path.read_bytes()
