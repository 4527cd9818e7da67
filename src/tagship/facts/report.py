"""What `tagship inspect` prints about a repository: its facts, as JSON or as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tagship.errors import one_line
from tagship_suite.errors import Problem, ReleaseError

from . import read

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = "unknown"


def inspect(path: Path) -> dict[str, Any]:
    """Return the facts of the repository at `path` for JSON; `status` is `inspected`, or `refused` with a `reason`."""
    if not path.is_dir():
        found = "a file" if path.exists() else "nothing"
        expected = "a repository's folder"
        return _refused(path, Problem("no-repository", str(path), found, expected, "name another path"))
    try:
        facts = read.repository(path)
    except ReleaseError as error:
        return _refused(path, *error.args)
    data = facts.data()
    if not facts.distributions:
        expected = "pyproject.toml, setup.cfg or setup.py that says what is built"
        return data | _refused(path, Problem("no-name", str(path), "no distribution", expected, "add one"))
    return {"path": data.pop("path"), "status": "inspected", "reason": "", **data}


def _refused(path: Path, *reasons: str | Problem) -> dict[str, Any]:
    reason = "; ".join(" ".join(str(each).split()) for each in reasons)
    return {"path": str(path), "status": "refused", "reason": reason}


def lines(data: dict[str, Any]) -> list[str]:
    """Return the facts as lines for people, or why there are none."""
    if data["status"] == "refused":
        return [f"{one_line(data['path'])}  refused: {one_line(data['reason'])}"]
    found = [data["path"]]
    for each in data["distributions"]:
        found += _of_distribution(each)
    found += [f"  tests     {' '.join(data['tests']['command']) or UNKNOWN}"]
    found += [f"  tags      {data['tag_style'] or UNKNOWN}, default branch {data['default_branch'] or UNKNOWN}"]
    found += [f"  publishes {_of_job(each)} to {each['index']}" for each in data["publishing"]]
    found += [f"  not read  {line}" for line in data["unread"]]
    return [one_line(line) for line in found]


def _of_job(data: dict[str, Any]) -> str:
    """Return the file and the job, if that has a name of its own, and how it logs in, if the files say that."""
    job = f" {data['job']}" if data["job"] and data["job"] != data["file"].rpartition("/")[2] else ""
    secrets = f" with {', '.join(data['secrets'])}" if data["secrets"] else ""
    auth = f": {data['auth']}{secrets}" if data["auth"] != "none" else ""
    return f"{data['file']}{job}{auth}"


def _of_distribution(data: dict[str, Any]) -> list[str]:
    source, layout = data["version_source"], data["layout"] or UNKNOWN
    shown = " ".join(filter(None, (source["kind"], source["file"]))) or UNKNOWN
    version = data["version"] or (UNKNOWN if data["unknown"] or not source["kind"] else "from git's tags")
    place = "" if data["path"] == "." else f" in {data['path']}"
    return [
        f"  {data['name'] or UNKNOWN}{place}",
        f"    version {version} ({shown})",
        f"    modules {', '.join(data['import_names']) or UNKNOWN} ({layout}, built by {data['backend']})",
        f"    Pythons {', '.join(data['pythons']) or UNKNOWN}",
        *(f"    note: {line}" for line in data["unknown"]),
    ]
