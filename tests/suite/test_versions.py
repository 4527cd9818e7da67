"""Tags and versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from tagship_suite.errors import ReleaseError
from tagship_suite.repo.versions import as_before, bump, holds_version, like, parsed, read_tag, releases, semver


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("v1.2.3", "1.2.3"),
        ("1.2.3", "1.2.3"),
        ("V1.2.3", "1.2.3"),
        ("RELEASE_1.2.3", "1.2.3"),
        ("release-1.2", "1.2"),
        ("release/v1.2", "1.2"),
        ("version-1.2", "1.2"),
        ("my.pkg-1.2.3", "1.2.3"),
        ("my_pkg/v1.2.3", "1.2.3"),
        ("My-Pkg@1.2.3", "1.2.3"),
        ("my-pkg1.2", "1.2"),
        ("v1.0.0-rc.1", "1.0.0rc1"),
        ("v1!2.0", "1!2.0"),
        ("2026.11.22", "2026.11.22"),
        ("v1.0.post1", "1.0.post1"),
        ("v1.0+local", "1.0+local"),
        ("rel-1.2", "1.2"),
        ("rel_1_2_3", "1.2.3"),
        ("v1_2", "1.2"),
        ("my_pkg_1_2_3", "1.2.3"),
        ("rel_1_2_0b1", "1.2.0b1"),
        ("rel_1_2_0_rc_1", "1.2.0rc1"),
    ],
)
def test_a_tag_names_a_version_behind_v_a_word_or_the_name(tag: str, version: str) -> None:
    found = read_tag(tag, "my-pkg")
    assert found
    assert found.version == Version(version)


@pytest.mark.parametrize(
    "tag",
    [
        "", "v", "latest", "nightly-1", "v1.0.0;id", "v１.0", "１.0", "v1.0\n", "\nv1.0", " v1.0", "v1.0 ", "vv1.0",
        "v-1.0", "other-1.0", "other/v1.0", "my-pkg--1.0", "release-my-pkg-1.0", "v1.0.x", "v1.0.0$(id)", "v1.0/../2",
        "refs/tags/v1.0", "v1.0`id`", "v1.0\u2060", "vX.1", "pre1.0",
    ],
)  # fmt: skip
def test_anything_else_names_no_version(tag: str) -> None:
    assert read_tag(tag, "my-pkg") is None


@pytest.mark.parametrize("name", ["py2neo", "a-2-b", "h5py", "3to2", "v8"])
def test_a_name_with_digits_is_still_a_name(name: str) -> None:
    assert read_tag(f"{name}-1.0.2", name) == (Version("1.0.2"), f"{name}-", "1.0.2")
    assert read_tag(f"{name}/v1.0.2", name) == (Version("1.0.2"), f"{name}/v", "1.0.2")


@given(st.text())
def test_no_text_breaks_the_reading_of_a_tag(tag: str) -> None:
    if found := read_tag(tag, "ship"):
        assert tag.isascii()
        assert tag.isprintable()
        assert read_tag(f"v{found.version}", "ship") == (found.version, "v", str(found.version))


@pytest.mark.parametrize(
    "text", ["１.0", "1.0\n", " 1.0", "1.0 ", "", "x", "1.0-", pytest.param("1" * 5000, id="long")]
)
def test_only_plain_pep_440_is_a_version(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(
    ("before", "part", "after"),
    [
        ("1.2.3", "patch", "1.2.4"),
        ("1.2.3", "minor", "1.3.0"),
        ("1.2.3", "major", "2.0.0"),
        ("1.2", "patch", "1.2.1"),
        ("1", "minor", "1.1.0"),
        ("1.2.3.4", "patch", "1.2.4.0"),
        ("1.2.3rc1", "patch", "1.2.3"),
        ("1.2.3.dev4", "patch", "1.2.3"),
        ("2.0.0a1", "major", "2.0.0"),
        ("2.0.1a1", "minor", "2.1.0"),
        ("1.2.3.post1", "patch", "1.2.4"),
        ("1!1.2.3", "major", "1!2.0.0"),
    ],
)
def test_bump_gives_the_next_release(before: str, part: str, after: str) -> None:
    assert str(bump(Version(before), part)) == after


NUMBERS = st.lists(st.integers(0, 99), min_size=1, max_size=5)
SUFFIXES = st.sampled_from(["", "a1", "rc2", ".dev3", ".post1"])


@given(NUMBERS, SUFFIXES, st.sampled_from(["major", "minor", "patch"]))
def test_bump_always_gives_a_greater_final_release(numbers: list[int], suffix: str, part: str) -> None:
    text = ".".join(map(str, numbers)) + suffix
    after = bump(Version(text), part)
    assert after > Version(text)
    assert not after.is_prerelease


def test_tags_that_start_the_workflow_are_the_ones_that_hold_a_version() -> None:
    assert all(map(holds_version, ["v1", "1.0", "release-1.0", "pkg/v1.2.3", "v1.0.0;id", "rel_1_2"]))
    assert not any(map(holds_version, ["latest", "nightly", "archive/old", "version"]))


@pytest.mark.parametrize("version", ["1.2.3", "1.2.0b1", "1.2.dev4", "2026.1.post1", "1!2.0"])
def test_a_version_in_the_form_of_rel_1_2_3_is_read_as_that_version(version: str) -> None:
    written = like(version, "1_2_3")
    assert read_tag(f"rel_{written}", "ship") == (Version(version), "rel_", written)
    assert like(version, "1.2.3") == version


def test_the_first_release_is_the_greatest_version_and_not_the_last_one_in_the_alphabet() -> None:
    assert releases(["v9.0", "v10.0-rc.1", "latest", "other-11.0"], "ship") == [
        (Version("10.0rc1"), "v", "10.0-rc.1"),
        (Version("9.0"), "v", "9.0"),
    ]


@pytest.mark.parametrize(
    ("version", "before", "written"),
    [
        ("2026.3.1", ["2026.02.03"], "2026.03.01"),
        ("2027.1.2", ["2026.12.11", "2026.2.13"], "2027.1.2"),
        ("2027.1.2", ["2026.12.11", "2026.02.03"], "2027.01.02"),
        ("2027.1.1", ["2026.2.3", "2026.02.03"], "2027.1.1"),
        ("2026.2.1", ["2026.02"], "2026.02.1"),
        ("2026.2", ["2026.02.03"], "2026.02"),
        ("26.9.0", ["26.08.0"], "26.09.0"),
        ("2026.2.3rc1", ["2026.02.02"], "2026.02.03rc1"),
        ("1.10.0", ["1.9.0"], "1.10.0"),
        ("1!2.0", ["1.9"], "1!2.0"),
        ("1.0", [], "1.0"),
    ],
)
def test_a_version_is_padded_as_those_before_it(version: str, before: list[str], written: str) -> None:
    assert as_before(Version(version), before) == written


@pytest.mark.parametrize(
    ("version", "written"),
    [("1.2.3", "1.2.3"), ("1.2", "1.2.0"), ("1.0a1", "1.0.0-alpha.1"), ("1.2.3rc4", "1.2.3-rc.4")],
)
def test_cargo_and_npm_write_a_version_in_their_own_way(version: str, written: str) -> None:
    assert semver(Version(version), "Cargo.toml") == written


@pytest.mark.parametrize("version", ["1.2.3.4", "1!1.0.0", "1.0.post1", "1.0.dev1", "1.0a1.dev1", "1.0+local"])
def test_what_cargo_and_npm_cannot_express_is_refused(version: str) -> None:
    with pytest.raises(ReleaseError, match=r"Cargo\.toml: found"):
        semver(Version(version), "Cargo.toml")
