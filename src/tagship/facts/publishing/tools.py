"""The commands that upload: how each takes its index, its user and its password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from .shell import base

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tagship.facts.model import Auth

    from .values import Origin, Scope

#: Programs that only print or search their arguments.
SILENT = frozenset(
    [
        "echo",
        "printf",
        "write-host",
        "write-output",
        "grep",
        "egrep",
        "fgrep",
        "rg",
        "git",
        ":",
        "rem",
        "which",
        "where",
    ]
)
DRY = frozenset({"--dry-run", "--dryrun", "--no-upload", "--help", "-h", "--notest", "--noop", "--print"})
PYPI_HOSTS = frozenset(
    [
        "pypi.org",
        "upload.pypi.org",
        "www.pypi.org",
        "pypi.python.org",
        "upload.pypi.python.org",
        "jazzband.co",  # passes the uploads of its projects on to PyPI
    ]
)
TEST_HOSTS = frozenset({"test.pypi.org", "testpypi.python.org", "test-files.pythonhosted.org"})
TEST_NAMES = re.compile(r"[\W_]*(?:py)?pi?[\W_]*test[\W_]*|[\W_]*test[\W_]*(?:py)?(?:pi)?[\W_]*", re.IGNORECASE)


@dataclass(frozen=True)
class Tool:
    """A command that uploads: its names, its subcommands, and its options and variables, most specific first."""

    name: str
    verbs: tuple[str, ...]
    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    user_variables: tuple[str, ...] = ()
    password_variables: tuple[str, ...] = ()
    index_variables: tuple[str, ...] = ()
    #: Whether it uses the identity of the job if there is no password.
    trusted: bool = True


TWINE = Tool(
    "twine",
    ("upload",),
    ("-u", "--username"),
    ("-p", "--password"),
    ("--repository-url", "-r", "--repository"),
    ("TWINE_USERNAME",),
    ("TWINE_PASSWORD",),
    ("TWINE_REPOSITORY_URL", "TWINE_REPOSITORY"),
)
POETRY = Tool(
    "poetry",
    ("publish",),
    ("-u", "--username"),
    ("-p", "--password"),
    ("-r", "--repository"),
    ("POETRY_HTTP_BASIC_PYPI_USERNAME",),
    ("POETRY_PYPI_TOKEN_PYPI", "POETRY_HTTP_BASIC_PYPI_PASSWORD"),
    trusted=False,
)
TOOLS = (
    TWINE,
    POETRY,
    Tool(
        "flit",
        ("publish", "upload"),
        index=("--repository",),
        user_variables=("FLIT_USERNAME",),
        password_variables=("FLIT_PASSWORD",),
        index_variables=("FLIT_INDEX_URL",),
    ),
    Tool(
        "hatch",
        ("publish",),
        ("-u", "--user"),
        ("-a", "--auth"),
        ("-r", "--repo"),
        ("HATCH_INDEX_USER",),
        ("HATCH_INDEX_AUTH",),
        ("HATCH_INDEX_REPO",),
    ),
    Tool(
        "uv",
        ("publish",),
        ("-u", "--username"),
        ("-t", "--token", "-p", "--password"),
        ("--publish-url", "--index"),
        ("UV_PUBLISH_USERNAME",),
        ("UV_PUBLISH_TOKEN", "UV_PUBLISH_PASSWORD"),
        ("UV_PUBLISH_URL", "UV_PUBLISH_INDEX"),
    ),
    Tool(
        "pdm",
        ("publish",),
        ("-u", "--username"),
        ("-P", "--password"),
        ("-r", "--repository"),
        ("PDM_PUBLISH_USERNAME",),
        ("PDM_PUBLISH_PASSWORD",),
        ("PDM_PUBLISH_REPO",),
    ),
    Tool(
        "rye",
        ("publish",),
        ("-u", "--username"),
        ("--token",),
        ("--repository-url", "-r", "--repository"),
        trusted=False,
    ),
    Tool(
        "maturin",
        ("publish", "upload"),
        ("-u", "--username"),
        ("-p", "--password"),
        ("--repository-url", "-r", "--repository"),
        ("MATURIN_USERNAME",),
        ("MATURIN_PYPI_TOKEN", "MATURIN_PASSWORD"),
        ("MATURIN_REPOSITORY_URL", "MATURIN_REPOSITORY"),
    ),
    Tool(
        "setup.py",
        ("upload",),
        index=("-r", "--repository"),
        # A command of the project's own often calls twine.
        user_variables=("TWINE_USERNAME",),
        password_variables=("TWINE_PASSWORD",),
        trusted=False,
    ),
)
BY_NAME = {tool.name: tool for tool in TOOLS}


@dataclass(frozen=True)
class Call:
    """An upload: the tool and its options, as written."""

    tool: Tool
    options: dict[str, str] = field(default_factory=dict)

    def first(self, names: Sequence[str]) -> str:
        """Return the value of the first of the options `names` that is present."""
        return next((self.options[name] for name in names if self.options.get(name)), "")


def match(words: Sequence[str]) -> Call | None:
    """Return the upload if `command` is one, else None."""
    if not words or base(words[0]) in SILENT or DRY.intersection(words):
        return None
    for at, word in enumerate(words):
        tool = BY_NAME.get(base(word))
        if tool and (verb := _verb(tool, words, at)):
            return Call(tool, _options(words[verb + 1 :], {*tool.user, *tool.password, *tool.index}))
    return None


def _verb(tool: Tool, words: Sequence[str], at: int) -> int:
    """Return the position of the subcommand that uploads, 0 if there is none."""
    for index in range(at + 1, len(words)):
        word = words[index]
        if word in tool.verbs:
            return index
        # `setup.py` takes several subcommands; other tools take only options before theirs.
        if tool.name != "setup.py" and not word.startswith("-"):
            return 0
    return 0


def _options(words: Sequence[str], valued: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals and name in valued:
            found[name] = value
        elif word in valued and at + 1 < len(words):
            found[word] = words[at + 1]
        elif word[:2] in valued and len(word) > 2 and not word.startswith("--"):
            found[word[:2]] = word[2:]
    return found


@dataclass(frozen=True)
class Credentials:
    """How an upload logs in."""

    auth: Auth
    secrets: tuple[str, ...] = ()


def index(call: Call, scope: Scope) -> str:
    """Return the index that `call` uploads to: `pypi`, `testpypi`, or the name or URL of another one."""
    given = [call.first(call.tool.index)]
    if not given[0]:
        given = [f"${{{name}}}" for name in call.tool.index_variables if name in scope.variables]
    return index_of([each for value in given if value for each in scope.origin(value).literals])


def index_of(values: Sequence[str]) -> str:
    """Return the index of the first of `values` (names or URLs) that is PyPI or TestPyPI."""
    named = [_named(each) for each in values if each]
    for known in ("pypi", "testpypi"):
        if known in named:
            return known
    return named[0] if named else "pypi"


def _named(value: str) -> str:
    host = urlsplit(value).hostname if "//" in value else ""
    if host in PYPI_HOSTS or value.lower() in {"pypi", "pypi.org"}:
        return "pypi"
    if host in TEST_HOSTS or (not host and TEST_NAMES.fullmatch(value)):
        return "testpypi"
    return value


def credentials(call: Call, scope: Scope, *, identity: bool) -> Credentials:
    """Return how `call` logs in; `identity` says whether the job can get an OIDC token."""
    user = scope.origin(call.first(call.tool.user) or _variables(call.tool.user_variables, scope))
    password = scope.origin(call.first(call.tool.password) or _variables(_passwords(call), scope))
    return judge(user, password, identity=identity and call.tool.trusted)


def judge(user: Origin, password: Origin, *, identity: bool) -> Credentials:
    """Classify a user name and a password: a token, a password, a minted token, or the job's identity."""
    if password.secrets and not password.minted:
        kind: Auth = "password" if _is_user(user, password) else "token"
        return Credentials(kind, tuple({**password.secrets, **user.secrets}))
    if password.minted or (identity and not password):
        return Credentials("oidc")
    return Credentials("token" if password else "none")


def _is_user(user: Origin, password: Origin) -> bool:
    """Return whether the user is a person: anything but `__token__`, as far as known."""
    if user.secrets:
        return not any("token" in name.lower() for name in password.secrets)
    return bool(user.literals) and "__token__" not in user.literals


def _passwords(call: Call) -> tuple[str, ...]:
    if call.tool is not POETRY:
        return call.tool.password_variables
    # Poetry has a variable for each repository.
    name = re.sub(r"\W", "_", call.first(call.tool.index) or "pypi").upper()
    return (f"POETRY_PYPI_TOKEN_{name}", f"POETRY_HTTP_BASIC_{name}_PASSWORD")


def _variables(names: Sequence[str], scope: Scope) -> str:
    return "".join(f"${{{name}}}" for name in names if name in scope.variables)
