"""What a refusal of an index, or a failure on the way to it, means, and what to do about it."""

from __future__ import annotations

import re
from typing import NamedTuple

STATUS = "https://status.python.org/"
TROUBLESHOOTING = "https://docs.pypi.org/trusted-publishers/troubleshooting/"
AGAIN = "run this job again: what the index has is skipped"
ANEW = "correct it, build, and release a new version: this one may be on TestPyPI already"


class Cause(NamedTuple):
    """A kind of failure: the words that tell it, why it happens, what to do, and where more is said.

    A link that begins with `help` is a page of the index's own site.
    """

    words: str
    why: str
    remedy: str
    link: str = ""


# The words are those of pypi/warehouse (its forklift and oidc views), of twine 7 and of the libraries below it. The
# first row that fits is taken.
CAUSES = (
    # The identity: from GitHub to the index.
    Cause(
        "ACTIONS_ID_TOKEN_REQUEST_(TOKEN|URL) environment variable was unset|[Dd]etect identity",
        "this job may not ask GitHub for an identity",
        "give the job `permissions: id-token: write`; a pull request from a fork never gets it",
        "https://docs.github.com/actions/reference/security/oidc",
    ),
    Cause(
        "no attestations could be signed",
        "Sigstore, which signs them, does not answer",
        'run this job again later, or set attestations = "optional" in [tool.tagship]',
        "https://status.sigstore.dev/",
    ),
    Cause(
        "OIDC token request|malformed or incomplete JSON|Unable to retrieve an OIDC token",
        "GitHub gave no identity token",
        f"GitHub may be out of order: {AGAIN}",
        "https://www.githubstatus.com/",
    ),
    Cause(
        "pull_request_target",
        "an index does not accept what pull requests can start",
        "publish from the push of a tag",
        TROUBLESHOOTING,
    ),
    Cause(
        "Missing claim|Could not job extract|job_workflow_ref claim|ref and sha claims|Check failed for required claim",
        "the identity token is not one of an ordinary workflow of this repository",
        "publish from a workflow in .github/workflows of the repository that is registered, not from a reusable one",
        TROUBLESHOOTING,
    ),
    Cause(
        "invalid-publisher",
        "no publisher at the index has exactly this owner, repository, workflow file and environment",
        "compare each of them with what is registered",
        TROUBLESHOOTING,
    ),
    Cause(
        "invalid-pending-publisher",
        "somebody made a project of this name after the pending publisher was registered",
        "choose another name, or ask the owner of the project to add the publisher to it",
        TROUBLESHOOTING,
    ),
    Cause(
        "invalid-reuse-token",
        "the index takes each identity token once, and this one was used before",
        AGAIN,
        TROUBLESHOOTING,
    ),
    Cause(
        "invalid-token",
        "the index does not take GitHub's token for a good one: as a rule a clock is wrong, on a runner of your own",
        f"set the clock, and {AGAIN}",
        TROUBLESHOOTING,
    ),
    Cause(
        "not-enabled|publishing functionality not enabled|answered 403 .*/_/oidc/",
        "the index has switched Trusted Publishing off for now",
        f"look at its status page, and {AGAIN}",
        STATUS,
    ),
    Cause(
        "invalid-payload",
        "the index does not understand the token: it may not know GitHub as an issuer",
        "is this PyPI or TestPyPI? Another index needs TWINE_USERNAME and TWINE_PASSWORD",
        TROUBLESHOOTING,
    ),
    Cause(
        "token-minting request returned invalid JSON",
        "what answered is not the index, or it is out of order",
        f"look at its status page, and {AGAIN}",
        STATUS,
    ),
    Cause(
        "Credential not found for|could not determine credentials|Expected a trusted publishing token",
        "there is neither an identity, as in GitHub Actions, nor a password",
        "publish in GitHub Actions, or set TWINE_USERNAME and TWINE_PASSWORD",
        "https://twine.readthedocs.io/en/stable/#environment-variables",
    ),
    # Who may upload.
    Cause(
        "Non-user identities cannot create new projects",
        "the pending publisher was registered for another project name than that of these files",
        "register one for the name as it is in the metadata: pending publishers are used up once they made a project",
        TROUBLESHOOTING,
    ),
    Cause(
        "token is expired",
        "the index's token is good for 15 minutes, and a new one did not help: as a rule a clock is wrong",
        f"set the clock, and {AGAIN}",
        "help/#invalid-auth",
    ),
    Cause(
        "scoped token is not valid for project|not valid for project",
        "the publisher, or the token, belongs to another project",
        "register the publisher at the project that these files are of",
        "help/#invalid-auth",
    ),
    Cause(
        "Username/Password authentication is no longer supported",
        "the index takes API tokens and Trusted Publishing only, and a user name with a password was given",
        "unset TWINE_USERNAME and TWINE_PASSWORD (and in .pypirc): Trusted Publishing needs neither",
        "help/#trusted-publishers",
    ),
    Cause(
        "(?i)read-only mode|temporarily disabled",
        "the index takes no uploads for now",
        f"look at its status page; later, {AGAIN}",
        STATUS,
    ),
    Cause(
        "isn't allowed to upload to project",
        "the account, or the token, has no part in this project: the name may be somebody else's",
        "let an owner add it as a maintainer or a publisher; or, for a project of your own, choose another name",
        "help/#project-name",
    ),
    Cause(
        "too similar to an existing project|isn't allowed|conflicts with an existing project",
        "the index does not give this name to a new project",
        "choose another name",
        "help/#project-name",
    ),
    Cause(
        "verified primary email|two-factor authentication enabled",
        "the account has no verified e-mail address, or no two-factor authentication",
        "verify it, or set it up, in the account's settings at the index",
    ),
    Cause(
        "answered 40[13]|Invalid or non-existent authentication",
        "the index does not accept the credentials, or not for this project",
        "check the user name, the password or token, and where they come from",
        "help/#invalid-auth",
    ),
    # What is uploaded.
    Cause(
        r"already exists?\b|previously used|answered 409",
        "the index has a file of this name with other bytes; it keeps a name for ever, even of a deleted file",
        "release a new version",
        "help/#file-name-reuse",
    ),
    Cause(
        "older than 14 days",
        "a release takes new files only in the 14 days after its first one",
        "release a new version with all its files",
        "https://docs.pypi.org/",
    ),
    Cause("Only one sdist", "the release has another sdist", "build one sdist, and release a new version"),
    Cause(
        "[Ff]ilename|Invalid file extension|in the name\\.|Version in file",
        "the name of the file is not what its metadata makes it",
        "build it with a current version of the build backend",
        "https://packaging.python.org/en/latest/specifications/binary-distribution-format/#file-name-convention",
    ),
    Cause(
        "description failed to render",
        "the README has an error that keeps the index from showing it",
        f"run `nox -s build`, which names the line; {ANEW}",
        "help/#description-content-type",
    ),
    Cause(
        "local version",
        "a version such as 1.0+local is for your own machines",
        f"version the release without the part after the plus; {ANEW}",
        "https://packaging.python.org/en/latest/specifications/version-specifiers/#local-version-identifiers",
    ),
    Cause(
        "direct dependency",
        "the index refuses dependencies on an address",
        f"depend on a released version, or remove it; {ANEW}",
        "https://packaging.python.org/en/latest/specifications/version-specifiers/#direct-references",
    ),
    Cause(
        "unsupported platform tag",
        "a wheel for linux_* works on the machine that built it, and no other",
        "build it with cibuildwheel, or repair it with auditwheel",
        "https://cibuildwheel.pypa.io/",
    ),
    Cause(
        "([Ff]ile|Project size) too large|answered 413|size limit",
        "the file, or the project as a whole, is larger than the index allows",
        "ship less, or ask for a higher limit",
        "https://docs.pypi.org/project-management/storage-limits",
    ),
    Cause(
        "Invalid distribution file|required (RECORD|METADATA)|InvalidDistribution|not exist in distribution",
        "the archive is damaged, or not what its name says",
        f"build it again with a current build backend; {ANEW}",
    ),
    Cause(
        "only supported when using Trusted Publishing",
        "files were signed for Trusted Publishing, and uploaded with a password or an API token",
        "remove it (TWINE_PASSWORD, .pypirc, keyring), or run it with `-- --no-attestations`",
        "https://docs.pypi.org/attestations/",
    ),
    Cause(
        "[Ii]nvalid attestations|has no associated attestations",
        "the index does not take the attestations",
        'run this job again; else set attestations = "off" in [tool.tagship] and say so in an issue of tagship',
        "https://docs.pypi.org/attestations/",
    ),
    Cause(
        "digest supplied does not match",
        "the file changed on its way",
        AGAIN,
    ),
    Cause(
        "for more information|invalid value for|has invalid data|metadata|invalid entry points",
        "a field of the metadata is not one that the index takes",
        f"mend it in pyproject.toml (or setup.py); {ANEW}",
        "https://packaging.python.org/en/latest/specifications/core-metadata/",
    ),
    # The way there.
    Cause(
        "answered 40[45]|redirect|Invalid repository URL|legacy PyPI site|invalid URL",
        "this is not the address at which the index takes uploads",
        "mend TWINE_REPOSITORY_URL; for PyPI and TestPyPI unset it",
    ),
    Cause(
        "Missing .* section from|Malformed configuration|Unable to read configuration",
        "twine cannot read what TWINE_REPOSITORY stands for",
        "mend the .pypirc, or set TWINE_REPOSITORY_URL",
        "https://packaging.python.org/en/latest/specifications/pypirc/",
    ),
    Cause(
        "answered 429",
        "the index was asked too often, by you or by others behind the same address",
        f"later, {AGAIN}",
    ),
    Cause(
        r"answered 5\d\d",
        "the index is out of order",
        f"look at its status page; later, {AGAIN}",
        STATUS,
    ),
    Cause(
        "(?i)certificate|SSL|wrong version number",
        "the index's certificate is not trusted here: a proxy that reads TLS, or an authority of your own",
        "name a file with the authority in TWINE_CERT (or REQUESTS_CA_BUNDLE)",
    ),
    Cause(
        "(?i)proxy",
        "the proxy cannot be reached, or does not let this through",
        "check HTTPS_PROXY and NO_PROXY",
    ),
    Cause(
        "(?i)timed out|time-out",
        "the index does not answer",
        f"look at its status page; later, {AGAIN}",
        STATUS,
    ),
    Cause(
        "(?i)name resolution|Name or service not known|refused|unreachable|getaddrinfo|nodename",
        "there is no way to the index from here",
        "check its address, the network, and HTTPS_PROXY where it is set",
    ),
    Cause(
        "(?i)connection|reset|aborted|broken pipe|incomplete|chunked",
        "the connection broke off",
        AGAIN,
    ),
)


UNKNOWN = Cause(
    "", "there is no more to it than these words", "run it with `-- --verbose`, and look into the index's help", "help/"
)


def cause(text: str) -> Cause:
    """Return the kind of failure that `text` tells, `UNKNOWN` for one that no row knows."""
    spoken = re.sub(r"https?://[^\s'\"]+?/simple/[^\s'\"]*", "", text)  # the project's name there says nothing
    return next((each for each in CAUSES if re.search(each.words, spoken)), UNKNOWN)


def explained(text: str, site: str = "", *advice: str) -> str:
    """Return a failure in at most five lines: what happened, why, what to do, and where more is said.

    `site` is the index's own, as PyPI and TestPyPI have one; `advice` takes the place of what the table says to do.
    """
    found = cause(text)
    link = f"{site}{found.link}" if found.link.startswith("help") else found.link
    told = link.startswith("https:") and (link != STATUS or site)  # which is PyPI's
    usual = [f"do: {found.remedy}", *([f"see: {link}"] if told else [])]
    lines = [f"why: {found.why}", *(advice or usual)]
    return "\n  ".join([" ".join(text.split()), *lines])
