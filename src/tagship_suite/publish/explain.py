"""Explains a failed upload: its message with the cause, the remedy and a link."""

import re
from typing import NamedTuple

STATUS = "https://status.python.org/"
TROUBLE = "https://docs.pypi.org/trusted-publishers/troubleshooting/"
#: The links of codes whose rows of the table have none.
LINKS = {
    "index-outage": STATUS,
    **dict.fromkeys(("oidc-claims", "oidc-token", "no-publisher", "pending-publisher"), TROUBLE),
}
OTHER_NAME = "choose another name"
#: TestPyPI does not know who owns a name on PyPI: the name is right, and another one would not help.
NO_TEST = (
    "add the account or the publisher to the project at TestPyPI if it is yours; if not, set the repository's variable"
    " PUBLISH_TEST to false, which leaves TestPyPI out"
)
NAMES = {
    "{again}": "run this job again: uploaded files are skipped",
    "{name}": OTHER_NAME,
    "{new}": "build, and release a new version: this one may be on TestPyPI already",
    "{specs}": "https://packaging.python.org/en/latest/specifications/",
}


class Cause(NamedTuple):
    """A cause: its code, what finds it, why it happens, what to do, and a link; `help…` is on the index's own site."""

    code: str
    pattern: str
    why: str
    remedy: str
    link: str = ""


# Each row is a `Cause`. The patterns match messages of pypi/warehouse (its forklift and oidc views), of twine 7 and of
# the libraries it uses. The first match counts.
TABLE = r"""
no-oidc-token: ACTIONS_ID_TOKEN_REQUEST_(TOKEN|URL) environment variable was unset|[Dd]etect identity
  this job is not allowed to get an OIDC token from GitHub
  give the job `permissions: id-token: write`; a pull request from a fork never gets it
  https://docs.github.com/actions/reference/security/oidc
no-oidc-token: GitLab: Environment variable
  this job has no OIDC token from GitLab for this index
  give the job the `id_tokens` that .gitlab/release.yml has
  https://docs.gitlab.com/ci/secrets/id_token_authentication/
attestations: no attestations could be signed
  Sigstore did not sign them
  run this job again later, or set attestations = "optional" in [tool.tagship]
  https://status.sigstore.dev/
no-oidc-token: OIDC token request|malformed or incomplete JSON|Unable to retrieve an OIDC token
  GitHub did not issue an OIDC token
  GitHub may have an outage: {again}
  https://www.githubstatus.com/
oidc-claims: pull_request_target
  the index accepts no OIDC token from the event pull_request_target
  publish when a tag is pushed
oidc-claims: Missing claim|(job |not )extract|_ref(_uri)? claim|(ref|ref_path) and sha claims|Check failed for required
  the OIDC token is not that of an ordinary workflow of this repository
  publish from a workflow in .github/workflows, or a top-level pipeline, of that repository; not a reusable one
no-publisher: invalid-publisher
  no publisher at the index has exactly this owner, repository, workflow file and environment
  compare each of them with what is registered
pending-publisher: invalid-pending-publisher
  a project of this name was created after the pending publisher was registered
  {name}, or ask the owner of the project to add the publisher to it
oidc-token: invalid-reuse-token
  the index accepts each OIDC token once, and this one was used before
  {again}
oidc-token: invalid-token
  the index considers GitHub's OIDC token invalid: usually the clock of a self-hosted runner is wrong
  set the clock, and {again}
index-outage: not-enabled|publishing functionality not enabled|answered 403 .*/_/oidc/
  Trusted Publishing is disabled at the index for now
  check its status page, and {again}
oidc-token: invalid-payload
  the index does not understand the OIDC token: it may not know GitHub as an issuer
  is this PyPI or TestPyPI? Another index needs TWINE_USERNAME and TWINE_PASSWORD
index-outage: token-minting request returned invalid JSON
  the response did not come from the index, or the index has an outage
  check its status page, and {again}
no-credentials: Credential not found for|could not determine credentials|Expected a trusted publishing token
  there is neither an OIDC token, as on GitHub and GitLab, nor a password
  publish there, or set TWINE_USERNAME and TWINE_PASSWORD
  https://twine.readthedocs.io/en/stable/#environment-variables
pending-publisher: Non-user identities cannot create new projects
  the pending publisher was registered for another project name than that of these files
  register one for the name in the metadata: a pending publisher is gone once it has created a project
token-expired: token is expired
  the index's token is valid for 15 minutes, and a new one did not help: the upload takes longer, or a clock is wrong
  use a faster connection, or set the clock, and {again}
  help/#invalid-auth
other-project: not valid for project
  the publisher, or the token, belongs to another project
  register the publisher with the project of these files
  help/#invalid-auth
credentials: Username/Password authentication is no longer supported
  the index accepts only API tokens and Trusted Publishing, but got a user name and a password
  unset TWINE_USERNAME and TWINE_PASSWORD (and in .pypirc): Trusted Publishing needs neither
  help/#trusted-publishers
index-outage: (?i)read-only mode|temporarily disabled
  the index accepts no uploads for now
  check its status page; later, {again}
other-project: isn't allowed to upload to project
  the account, or the token, has no role in this project: the name may be somebody else's
  have an owner add it as a maintainer or a publisher; or, for a project of your own, {name}
  help/#project-name
project-name: too similar to an existing project|isn't allowed|conflicts with an existing project
  the index does not allow this name for a new project
  {name}
  help/#project-name
account: verified primary email|two-factor authentication enabled
  the account has no verified e-mail address, or no two-factor authentication
  verify it, or set it up, in the account's settings at the index
credentials: answered 40[13]|Invalid or non-existent authentication
  the index does not accept the credentials, or not for this project
  check the user name, the password or token, and where they come from
  help/#invalid-auth
file-exists: already exists?\b|previously used|answered 409
  the index has a file of this name with other bytes; a name cannot be reused, even if the file was deleted
  release a new version
  help/#file-name-reuse
release-too-old: older than 14 days
  files can be added to a release for 14 days after its first one
  release a new version with all its files
  https://docs.pypi.org/
several-sdists: Only one sdist
  the release has another sdist
  build one sdist, and release a new version
file-name: [Ff]ilename|Invalid file extension|in the name\.|Version in file
  the file name does not match the metadata
  build it with a current version of the build backend
  {specs}binary-distribution-format/#file-name-convention
description: description failed to render
  the README has an error, so the index cannot show it
  run `nox -s build`, which names the line; fix it, {new}
  help/#description-content-type
local-version: local version
  a local version such as 1.0+local is for your own machines
  remove the part after the plus, {new}
  {specs}version-specifiers/#local-version-identifiers
direct-url: direct dependency
  the index refuses dependencies given by a URL
  depend on a released version, or remove it; {new}
  {specs}version-specifiers/#direct-references
platform-tag: unsupported platform tag
  a linux_* wheel works only on machines like the one that built it
  build it with cibuildwheel, or repair it with auditwheel
  https://cibuildwheel.pypa.io/
file-size: ([Ff]ile|Project size) too large|answered 413|size limit
  the file, or the project as a whole, is larger than the index allows
  ship less, or request a higher limit
  https://docs.pypi.org/project-management/storage-limits
broken-dist: Invalid distribution file|required (RECORD|METADATA)|InvalidDistribution|not exist in distribution
  the archive is damaged, or its content does not match its name
  build it again with a current build backend; {new}
attestations: only supported when using Trusted Publishing
  files were signed for Trusted Publishing, but uploaded with a password or an API token
  remove it (TWINE_PASSWORD, .pypirc, keyring), or run this with `-- --no-attestations`
  https://docs.pypi.org/attestations/
attestations: [Ii]nvalid attestations|has no associated attestations
  the index does not accept the attestations
  run this job again; if that fails, set attestations = "off" in [tool.tagship] and report it to tagship
  https://docs.pypi.org/attestations/
network: digest supplied does not match
  the file changed on its way
  {again}
metadata: for more information|invalid value for|has invalid data|metadata|invalid entry points
  the index does not accept a field of the metadata
  correct it in pyproject.toml (or setup.py), {new}
  {specs}core-metadata/
index-address: answered 40[45]|redirect|Invalid repository URL|legacy PyPI site|invalid URL
  the index accepts no uploads at this address
  correct TWINE_REPOSITORY_URL; for PyPI and TestPyPI unset it
pypirc: Missing .* section from|Malformed configuration|Unable to read configuration
  twine cannot read the section of .pypirc that TWINE_REPOSITORY names
  correct the .pypirc, or set TWINE_REPOSITORY_URL
  {specs}pypirc/
rate-limit: answered 429
  the index got too many requests, from you or from others with the same address
  later, {again}
index-outage: answered 5\d\d
  the index has an outage
  check its status page; later, {again}
certificate: (?i)certificate|SSL|wrong version number
  the index's certificate is not trusted here: a proxy that intercepts TLS, or a certificate authority of your own
  set TWINE_CERT (or REQUESTS_CA_BUNDLE) to a file with the authority's certificate
proxy: (?i)proxy
  the proxy cannot be reached, or refuses the connection
  check HTTPS_PROXY and NO_PROXY
index-outage: (?i)timed out|time-out
  the index does not answer
  check its status page; later, {again}
network: (?i)name resolution|Name or service not known|refused|unreachable|getaddrinfo|nodename
  the index cannot be reached from here
  check its address, the network, and HTTPS_PROXY where it is set
network: (?i)connection|reset|aborted|broken pipe|incomplete|chunked
  the connection was lost
  {again}
unknown-message: .*
  tagship does not know this message
  run this with `-- --verbose`, and see the index's help
  help/
"""
for name, text in NAMES.items():
    TABLE = TABLE.replace(name, text)
ROWS = (row.replace(": ", "\n", 1).splitlines() for row in re.split(r"\n(?=\S)", TABLE.strip()))
*CAUSES, UNKNOWN = (Cause(*map(str.strip, row)) for row in ROWS)


def cause(text: str) -> Cause:
    """Return the cause of the failure that `text` describes, or `UNKNOWN`."""
    message = re.sub(r"https?://[^\s'\"]+?/simple/[^\s'\"]*", "", text)  # a project's name may contain any pattern
    return next((each for each in CAUSES if re.search(each.pattern, message)), UNKNOWN)


def explained(text: str, site: str = "", *advice: str) -> str:
    """Return a failure in at most five lines: what happened, why, what to do, and a link.

    `site` is the URL of the index's website, if it is PyPI or TestPyPI; `advice` replaces the usual remedy and link.
    """
    found = cause(text)
    link = found.link or LINKS.get(found.code, "")
    link = f"{site}{link}" if link.startswith("help") else link
    linked = link.startswith("https:") and (link != STATUS or site)  # the status page is PyPI's
    remedy = NO_TEST if OTHER_NAME in found.remedy and "//test." in site else found.remedy
    usual = [f"do: {remedy}", *[f"see: {link}"] * bool(linked)]
    return "\n  ".join([f"{' '.join(text.split())} [{found.code}]", f"why: {found.why}", *(advice or usual)])
