"""Whether the distributions of a repository are released together, by one tag."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tagship.adopt import settings
from tagship.adopt.model import Decision
from tagship_suite.repo.versions import names

from . import version

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.adopt.model import Adoption
    from tagship_suite.repo.packages import Package


def decide(found: Adoption) -> None:
    """Set `lockstep` if the tags name no distribution and several distributions have the same version.

    Those with other versions are excluded. If the root is a distribution, such tags are its own.
    """
    style, packages = found.facts.tag_style, found.packages
    if len(packages) < 2 or not style or not names(style, "", bare=True):
        return
    versions = {package: _version(found, package) for package in packages}
    common, count = Counter(filter(None, versions.values())).most_common(1)[0] if any(versions.values()) else ("", 0)
    outside = [package for package in packages if versions[package] != common]
    if count < 2 or found.folder in {package.folder for package in outside}:
        return
    why = f"tags such as {style} name none of {count} distributions with the same version"
    if _set(found, found.folder, settings.Setting("lockstep", value=True, why=why)):
        for package in outside:
            own = f"its version is {versions[package] or 'not known'}, not {common}"
            _set(found, package.folder, settings.Setting("lockstep", value=False, why=own))
        found.packages = [replace(package, lockstep=versions[package] == common) for package in packages]


def _version(found: Adoption, package: Package) -> str:
    """Return the version, or "git's tags" if it comes from there; "" if it is not known."""
    source = version.guess(package.folder, found.folder)
    return source.version or (source.why if source.why == "git's tags" else "")


def _set(found: Adoption, folder: Path, setting: settings.Setting) -> bool:
    """Add a setting for the distribution in `folder`; return False if it is already set."""
    path = folder.relative_to(found.folder) / "pyproject.toml"
    new = settings.missing(found.text(path), [setting])
    if new:
        found.changes[path] = settings.added(found.text(path), new).encode()
        place = "" if folder == found.folder else f"{folder.name}: "
        found.decisions.append(Decision(f"{place}lockstep", str(setting.value).lower(), setting.why))
    return bool(new)
