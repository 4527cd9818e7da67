"""Every failure is explained: one test a row, with the message of the index, twine or a library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tagship.publisher import Registration
from tagship.rehearsal.faults import Fault
from tagship_suite.publish.explain import CAUSES, UNKNOWN, cause, explained
from tests.suite.publishing import PUSH, publish, serving, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

MINT = "twine: The token request failed; the index server gave the following reasons: * "
UPLOAD = "the index answered 400 Client Error: "
SHIP = "ship-1.0-py3-none-any.whl"
#: A failure as it comes, and what its explanation must say.
FAILURES = [
    (
        (
            "twine: Unable to retrieve an OIDC token from the CI platform for trusted publishing GitHub: missing or"
            " insufficient OIDC token permissions, the ACTIONS_ID_TOKEN_REQUEST_TOKEN environment variable was unset"
        ),
        "permissions: id-token: write",
    ),
    ("twine: Unable to retrieve an OIDC token … GitLab: Environment variable PYPI_ID_TOKEN not found", "id_tokens"),
    ("no attestations could be signed, and nothing was uploaded: Failed to sign", 'attestations = "optional"'),
    ("twine: Unable to retrieve an OIDC token … GitHub: OIDC token request failed (code=400)", "githubstatus"),
    (
        MINT + "`invalid-publisher`: valid token, but no corresponding publisher (Publishing from a workflow invoked"
        " via 'pull_request_target' is not supported.)",
        "when a tag is pushed",
    ),
    (MINT + "`invalid-publisher`: valid token, but no corresponding publisher (Missing claim 'ref')", "reusable"),
    (
        MINT + "`invalid-publisher`: valid token, but no corresponding publisher (Publisher with matching claims was"
        " not found)",
        "compare each of them",
    ),
    (MINT + "`invalid-pending-publisher`: valid token, but project already exists", "choose another name"),
    (MINT + "`invalid-reuse-token`: invalid token: already used", "run this job again"),
    (MINT + "`invalid-token`: malformed or invalid token", "clock"),
    (MINT + "`not-enabled`: github trusted publishing functionality not enabled", "status"),
    (MINT + "`invalid-payload`: unknown trusted publishing issuer", "TWINE_USERNAME"),
    ("twine: The token-minting request returned invalid JSON", "status"),
    ("twine: Credential not found for password.", "TWINE_PASSWORD"),
    (
        UPLOAD + "Non-user identities cannot create new projects. This was probably caused by successfully using a"
        " pending publisher but specifying the project name incorrectly",
        "another project name",
    ),
    ("the index answered 403 Client Error: Invalid API Token: token is expired", "15 minutes"),
    ("the index answered 403 Client Error: Invalid API Token: OIDC scoped token is not valid for project 'x'", "of"),
    ("the index answered 403 Client Error: Username/Password authentication is no longer supported.", "neither"),
    ("the index answered 403 Client Error: Read-only mode: Uploads are temporarily disabled.", "no uploads for now"),
    ("the index answered 403 Client Error: The user 'x' isn't allowed to upload to project 'ship'.", "maintainer"),
    (UPLOAD + "The name 'shipp' is too similar to an existing project.", "another name"),
    (UPLOAD + "User 'x' does not have a verified primary email address.", "verify it"),
    ("the index answered 401 Client Error: Unauthorized for url", "check the user name"),
    (UPLOAD + f"File already exists ('{SHIP}', with blake2_256 hash 'aa')", "#file-name-reuse"),
    (UPLOAD + "Uploading new files to releases older than 14 days is not allowed.", "new version with all its files"),
    (UPLOAD + "Only one sdist may be uploaded per release.", "one sdist"),
    (UPLOAD + "Filename 'Ship-1.0.tar.gz' is invalid, should be 'ship-1.0.tar.gz'.", "build backend"),
    (UPLOAD + "The description failed to render for 'text/x-rst'.", "nox -s build"),
    (UPLOAD + "The use of local versions in <Version('1.0+a')> is not allowed.", "after the plus"),
    (UPLOAD + "Can't have direct dependency: 'x @ https://example.com'.", "depend on a released version"),
    (UPLOAD + "Binary wheel 'x' has an unsupported platform tag 'linux_x86_64'.", "cibuildwheel"),
    (UPLOAD + "File too large. Limit for project 'ship' is 100 MB.", "storage-limits"),
    (UPLOAD + "Invalid distribution file. Trailing data", "build it again"),
    (
        UPLOAD + "Invalid attestations supplied during upload: Attestations are only supported when using Trusted"
        " Publishing",
        "--no-attestations",
    ),
    (UPLOAD + "Invalid attestations supplied during upload: Malformed attestations", 'attestations = "off"'),
    (UPLOAD + "The digest supplied does not match a digest calculated from the uploaded file.", "changed on its way"),
    (UPLOAD + "'x' is not a valid classifier. See https://example.com for more information.", "pyproject.toml"),
    ("the index answered 405 Client Error: Method Not Allowed", "TWINE_REPOSITORY_URL"),
    ("twine: Missing 'mine' section from ~/.pypirc.", ".pypirc"),
    ("the index answered 429 Client Error: Too Many Requests", "too many requests"),
    ("the index answered 503 Server Error: Service Unavailable", "status"),
    ("twine: HTTPSConnectionPool: SSLError: certificate verify failed: self-signed certificate", "TWINE_CERT"),
    ("twine: HTTPSConnectionPool: ProxyError('Unable to connect to proxy')", "HTTPS_PROXY"),
    ("twine: HTTPSConnectionPool: Read timed out. (read timeout=120)", "does not answer"),
    ("twine: Failed to establish a new connection: [Errno 111] Connection refused", "check its address"),
    ("twine: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", "was lost"),
]


@pytest.mark.parametrize(("failure", "words"), FAILURES)
def test_a_failure_says_what_happened_why_and_what_to_do_in_five_lines(failure: str, words: str) -> None:
    said = explained(failure, "https://index.example/")
    first, *rest = said.split("\n")
    assert first == f"{failure} [{cause(failure).code}]"
    assert words in "\n".join(rest)
    assert [line.split(":")[0] for line in rest] in (["  why", "  do"], ["  why", "  do", "  see"])
    assert all(re.fullmatch(r"  see: https://\S+", line) for line in rest[2:])


def test_every_row_of_the_table_is_one_of_these_failures_and_the_other_way_round() -> None:
    assert [cause(failure) for failure, _ in FAILURES] == list(CAUSES)


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (
            "This filename was previously used by a file that has since been deleted. Use a different version.",
            "new version",
        ),
        ("Project size too large. Limit for project 'ship' total size is 10 GB.", "higher limit"),
        ("The name 'json' isn't allowed (conflict with Python Standard Library module name).", "another name"),
        ("User 'x' does not have two-factor authentication enabled. Please enable two-factor", "set it up"),
        ("New project registration temporarily disabled. See https://x for more information.", "status"),
        (f"Wheel '{SHIP}' has invalid entry points defined in the entry_points.txt file", "pyproject.toml"),
    ],
)
def test_other_messages_of_pypi_for_the_same_cause_are_known_too(failure: str, words: str) -> None:
    assert words in cause(UPLOAD + failure).remedy + cause(UPLOAD + failure).link


def test_an_unknown_message_is_printed_unchanged_with_a_way_to_learn_more() -> None:
    said = explained("the index answered 418 Client Error: I'm a teapot", "https://index.example/")
    assert cause(said) is UNKNOWN
    assert said.startswith("the index answered 418 Client Error: I'm a teapot [unknown-message]\n  why: ")
    assert "--verbose" in said


def test_a_link_to_the_help_is_left_out_if_the_index_has_no_site() -> None:
    assert "see:" not in explained("the index answered 403 Client Error: Forbidden")


def test_pypis_status_is_not_that_of_your_own_index() -> None:
    failure = "the index answered 503 Server Error: Service Unavailable"
    assert "see: https://status.python.org/" in explained(failure, "https://index.example/")
    assert "see:" not in explained(failure)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path)


def refusal(bundle: Path, servers: Servers, **env: str) -> str:
    """Return the one error of a run that must fail, with the lines that explain it."""
    done = publish(bundle, servers, **{"TAGSHIP_TIMEOUT": "4", **env})
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    (error,) = re.findall(r"^error: (.*(?:\n  .*)*)", done.stdout, re.MULTILINE)
    assert error.count("\n") < 5, error
    return str(error)


def test_a_password_that_prevents_trusted_publishing_is_named(bundle: Path, servers: Servers, tmp_path: Path) -> None:
    assert "remove the password in TWINE_PASSWORD" in refusal(bundle, servers, TWINE_PASSWORD="pypi-old")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".pypirc").write_text("[pypi]\nusername = __token__\npassword = pypi-old\n")
    said = refusal(bundle, servers, HOME=str(home))
    assert "remove the password in ~/.pypirc" in said
    assert "pypi-old" not in said


def test_a_job_without_the_permission_is_told_which_one(bundle: Path, servers: Servers) -> None:
    said = refusal(bundle, servers, ACTIONS_ID_TOKEN_REQUEST_TOKEN="")
    assert "give the job `permissions: id-token: write`" in said


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"environment": "release"}, "environment 'release'"),
        ({"repository": "octo/ship"}, "no publisher at the index"),
        ({"job_workflow_ref": "Octo/ship/.github/workflows/publish.yaml@refs/tags/v1.0"}, "'publish.yaml'"),
        ({"event_name": "pull_request_target"}, "publish when a tag is pushed"),
        ({"ref": None}, "publish from a workflow in .github/workflows"),
    ],
)
def test_an_unknown_publisher_is_explained_by_its_own_claims(
    bundle: Path, servers: Servers, claims: dict[str, str | None], words: str
) -> None:
    environment = claims.pop("environment", "pypi")
    said = refusal(bundle, servers, **servers.issuer.job(PUSH, environment, **claims))
    assert "invalid-publisher" in said
    assert words in said


def test_trusted_publishing_that_is_disabled_is_distinguished_from_a_wrong_password(
    bundle: Path, servers: Servers
) -> None:
    servers.index.mint.enabled = False
    assert "Trusted Publishing is disabled" in refusal(bundle, servers)


def test_a_pending_publisher_for_another_name_is_explained(bundle: Path, tmp_path: Path) -> None:
    with serving(tmp_path / "other", Registration("shipp", "Octo", "ship", "release.yml", "pypi", "77")) as servers:
        assert "pending publisher was registered for another project name" in refusal(bundle, servers)


def test_a_proxy_and_an_authority_that_are_wrong_are_named(bundle: Path, servers: Servers, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    assert "check HTTPS_PROXY" in refusal(bundle, servers, HTTPS_PROXY=nowhere, https_proxy=nowhere)
    none = tmp_path / "index/none.pem"
    said = refusal(bundle, servers, **dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "TWINE_CERT"), str(none)))
    assert "TWINE_CERT" in said


@pytest.mark.slow
def test_on_github_a_failure_is_an_annotation_and_in_the_summary(
    bundle: Path, servers: Servers, tmp_path: Path
) -> None:
    servers.faults.tell(Fault.UPLOAD_503)
    summary = tmp_path / "summary"
    done = publish(bundle, servers, TAGSHIP_TIMEOUT="4", GITHUB_STEP_SUMMARY=str(summary))
    (annotation,) = re.findall(r"^::error::(.*)$", done.stdout, re.MULTILINE)
    assert annotation.startswith("the index answered 503 Server Error")
    assert annotation.count("%0A") == 4
    assert summary.read_text().startswith("> [!CAUTION]\n> `the index answered 503")
