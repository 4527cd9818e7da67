"""The SBOM of a bundle: made by the locked library, valid, and the same for the same dists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tagship import suite as managed
from tagship_suite.dists.reading import read_dists, sha256_of
from tagship_suite.gate import handover
from tagship_suite.gate.sbom import sbom
from tests.archives import write_sdist, write_wheel
from tests.conftest import nox, try_nox
from tests.suite.publishing import TAG

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = '[project]\nname = "ship"\nversion = "1.0"\n[tool.tagship]\nsbom = true\n'
EXTRA = (
    *("Summary: A ship.", "License-Expression: MIT OR Apache-2.0", "Requires-Dist: attrs>=23"),
    *('Requires-Dist: click<9; extra == "cli"', "Requires-Dist: click>=8", 'Requires-Dist: ship[cli]; extra == "all"'),
)


def by_name(components: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in components}


@pytest.mark.slow
def test_verify_version_adds_the_sbom_to_the_bundle_and_to_its_sums(suite: Path, tmp_path: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator  # two seconds, which each test process would take

    (suite / "pyproject.toml").write_text(SETTINGS)
    write_wheel(suite / "dist", extra=EXTRA)
    write_sdist(suite / "dist", extra=EXTRA)
    output = tmp_path / "output"
    env = {**TAG, "GITHUB_OUTPUT": str(output), "SOURCE_DATE_EPOCH": "1700000000"}
    done = try_nox(suite, "-s", "verify-version", **env)
    assert done.returncode == 1
    assert "[tool.tagship] sbom: found true, expected also .github/release/requirements/sbom.txt" in done.stdout
    managed.write(suite, managed.files(sbom=True))
    nox(suite, "-s", "verify-version", **env)
    text = (suite / "bundle/sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    main = found["metadata"]["component"]
    assert (main["purl"], main["licenses"]) == ("pkg:pypi/ship@1.0", [{"expression": "MIT OR Apache-2.0"}])
    hashes = {dist.path.name: dist.sha256 for dist in read_dists(suite / "bundle/dist")}
    assert {each["name"]: each["hashes"][0]["content"] for each in main["components"]} == hashes
    assert list(by_name(found["components"])) == ["attrs", "click"]
    needs = [each["value"] for each in by_name(found["components"])["click"]["properties"]]
    assert needs == ['click<9; extra == "cli"', "click>=8"]
    graph = {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]}
    assert graph["pkg:pypi/ship@1.0"] == ["pkg:pypi/attrs", "pkg:pypi/click"]
    assert found["metadata"]["timestamp"].startswith("2023-11-14T22:13:20")
    digest = sha256_of(suite / "bundle/sbom.cdx.json")
    assert f"{digest}  sbom.cdx.json\n" in (suite / "bundle/SHA256SUMS").read_text()
    digests = [line for line in output.read_text().splitlines() if line.startswith("digest=")]
    assert digests[-1] == f"digest={handover.digest(suite / 'bundle')}", "GitHub takes the last one"
    nox(suite, "-s", "verify-version", **env)
    assert (suite / "bundle/sbom.cdx.json").read_text() == text


def test_distributions_in_lockstep_are_one_sbom_in_which_one_depends_on_the_other(tmp_path: Path) -> None:
    write_wheel(tmp_path, "ship", extra=("Requires-Dist: ship-c==1.0", "Requires-Dist: attrs>=23"))
    write_wheel(tmp_path, "ship_c", extra=("Requires-Dist: attrs>=24",))
    groups = [[dist] for dist in read_dists(tmp_path)]
    found = json.loads(sbom(groups, 0))
    assert found == json.loads(sbom(groups, 0))
    assert "component" not in found["metadata"]
    purls = ["pkg:pypi/attrs", "pkg:pypi/ship@1.0", "pkg:pypi/ship-c@1.0"]
    assert [each["purl"] for each in found["components"]] == purls
    graph = {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]}
    assert graph == {
        "pkg:pypi/attrs": [],
        "pkg:pypi/ship@1.0": ["pkg:pypi/attrs", "pkg:pypi/ship-c@1.0"],
        "pkg:pypi/ship-c@1.0": ["pkg:pypi/attrs"],
    }
