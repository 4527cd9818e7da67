"""The actions and the reusable workflows of others that upload to an index."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tagship.facts.workflow import secrets as workflow_secrets

from . import tools
from .tools import Credentials

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .values import Scope


@dataclass(frozen=True)
class Action:
    """An action that uploads: its inputs for the user, the password and the index."""

    user: tuple[str, ...] = ()
    password: tuple[str, ...] = ()
    index: tuple[str, ...] = ()
    #: Whether it uses the identity of the job if there is no password.
    trusted: bool = False
    #: Inputs that must not be false, such as a switch that turns the upload off.
    switches: tuple[str, ...] = ()
    #: The value of the input `command` with which it uploads.
    command: str | None = None


KNOWN = {
    "pypa/gh-action-pypi-publish": Action(("user",), ("password",), ("repository-url", "repository_url"), trusted=True),
    "jrubics/poetry-publish": Action(
        ("repository_username",), ("pypi_token", "repository_password"), ("repository_url", "repository_name")
    ),
    "code-specialist/pypi-poetry-publish": Action((), ("access_token",), ("publish_registry",)),
    "relekang/python-semantic-release": Action(
        ("repository_username", "pypi_username"), ("repository_password", "pypi_token", "pypi_password")
    ),
    "etgarland/setup-python-publish": Action(("pypi_username",), ("pypi_password",)),
    "casperdcl/deploy-pypi": Action(("user",), ("password",), ("url",), trusted=True, switches=("upload",)),
    "tjtelan/python-package-publish": Action(("username",), ("password",)),
    "abatilo/release-info-to-pypi": Action(("username",), ("password",)),
    "mariamrf/py-package-publish-action": Action((), (), ()),
    "jupyter-server/jupyter_releaser/.github/actions/finalize-release": Action((), ("pypi_token",), trusted=True),
    "jupyter-server/jupyter_releaser/.github/actions/publish-release": Action((), ("pypi_token",), trusted=True),
    "autopub/autopub-action": Action(trusted=True, command="publish"),
    "fizyk/actions-reuse/.github/actions/pypi": Action((), ("token",), trusted=True),
}
#: Inputs that only an upload to an index needs, whatever the action's name.
TOKEN_INPUT = re.compile(
    r"(?:^|[-_])(?:test)?[-_]?pypi[-_]?(?:api[-_]?)?(?:token|password|secret|key)|^twine[-_]password$", re.IGNORECASE
)
USER_INPUT = re.compile(r"pypi[-_]?user(?:name)?$|^twine[-_]user(?:name)?$", re.IGNORECASE)
CREDENTIAL = re.compile(r"password|token|key|secret|auth", re.IGNORECASE)
OF_INDEX = re.compile(r"pypi|twine", re.IGNORECASE)
#: Reusable workflows that upload with the identity of the job, or with secrets that are inherited.
WORKFLOWS = re.compile(r"rapidsai/shared-workflows/\.github/workflows/wheels-publish\.ya?ml", re.IGNORECASE)
OPENASTRONOMY = re.compile(
    r"openastronomy/github-actions/\.github/workflows/publish(?:_pure_python)?\.ya?ml", re.IGNORECASE
)
FALSE = frozenset({"false", "no", "0", "off"})


def upload(
    name: str, version: str, inputs: Mapping[str, str], scope: Scope, *, identity: bool
) -> tuple[str, Credentials] | None:
    """Return the index and the credentials of the upload that the action `name` makes; None if it makes none."""
    action = KNOWN.get(name)
    if action is None and name == "pyo3/maturin-action":
        return _maturin(inputs, scope, identity=identity)
    if action is None and name.endswith("/python-semantic-release"):
        action = _semantic_release(version, inputs)
    if action is None:
        action = _by_inputs(inputs)
    if action is None or any(inputs.get(name, "").lower() in FALSE for name in action.switches):
        return None
    if action.command not in {None, inputs.get("command")}:
        return None
    user = scope.origin(_first(inputs, action.user))
    password = scope.origin(_first(inputs, action.password))
    addresses = [each for key in action.index if inputs.get(key) for each in scope.origin(inputs[key]).literals]
    credentials = tools.judge(user, password, identity=identity and action.trusted)
    if credentials.auth == "none" and not action.trusted and not action.password:
        credentials = Credentials("token")
    return tools.index_of(addresses), credentials


def _first(inputs: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((inputs[name] for name in names if inputs.get(name)), "")


def _semantic_release(version: str, inputs: Mapping[str, str]) -> Action | None:
    """Return the upload of python-semantic-release, which uploaded up to version 7."""
    major = re.match(r"v?(\d+)", version)
    if major and int(major[1]) >= 8:
        return None
    known = KNOWN["relekang/python-semantic-release"]
    return known if _first(inputs, known.password) else None


def _by_inputs(inputs: Mapping[str, str]) -> Action | None:
    passwords = tuple(name for name, value in inputs.items() if _is_password(name, value))
    return Action(tuple(name for name in inputs if USER_INPUT.search(name)), passwords) if passwords else None


def _is_password(name: str, value: str) -> bool:
    """Return whether an input is a credential of an index, by its name or that of its secret."""
    secrets = workflow_secrets(value)
    return bool(secrets) and bool(
        TOKEN_INPUT.search(name) or (CREDENTIAL.search(name) and any(OF_INDEX.search(each) for each in secrets))
    )


def _maturin(inputs: Mapping[str, str], scope: Scope, *, identity: bool) -> tuple[str, Credentials] | None:
    if inputs.get("command") not in {"publish", "upload"}:
        return None
    call = tools.match(("maturin", inputs["command"], *inputs.get("args", "").split()))
    return (tools.index(call, scope), tools.credentials(call, scope, identity=identity)) if call else None


def workflow(
    uses: str, inputs: Mapping[str, str], secrets: Mapping[str, str] | None, scope: Scope, *, identity: bool
) -> tuple[str, Credentials] | None:
    """Return the upload of another repository's reusable workflow; `secrets` is None if all are inherited."""
    name = uses.partition("@")[0]
    password = scope.origin(" ".join(value for key, value in (secrets or {}).items() if _is_password(key, value)))
    user = scope.origin(" ".join(value for key, value in (secrets or {}).items() if USER_INPUT.search(key)))
    user = user or scope.origin(inputs.get("username", ""))
    if OPENASTRONOMY.fullmatch(name) and inputs.get("upload_to_pypi", "").lower() in FALSE:
        return None
    if any(
        key.lower().replace("-", "_") in {"publish_to_pypi", "upload_to_pypi"} and value.lower() in FALSE
        for key, value in inputs.items()
    ):
        return None
    if password.secrets or (identity and WORKFLOWS.fullmatch(name)):
        return "pypi", tools.judge(user, password, identity=identity)
    return None
