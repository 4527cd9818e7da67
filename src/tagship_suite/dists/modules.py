"""Which modules of a dist could hold its version, and where are they imported from once installed?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from .reading import Dist

#: The modules that hold a package's version by convention.
VERSION_MODULES = ("__init__", "_version", "__version__", "version", "__about__", "_about")
#: What precedes a module's own path in a wheel and in an sdist.
DATA = re.compile(r"[^/]+\.data/(?:pure|plat)lib/")
ROOT = re.compile(r"[^/]+/(?:(?:src|lib)/)?")


def is_own(module: str, name: str) -> bool:
    """Return whether a module is the project's by its name: a bundled module may have another version."""
    return canonicalize_name(module.split("/")[0].removesuffix(".py")) == name


def modules(dist: Dist) -> dict[str, str]:
    """Return the modules that could hold the version: by the path in the dist, the path when installed.

    Those are top-level modules, and `__init__` and the like in each outermost package, which is below folders without
    `__init__.py` if it is in a namespace.
    """
    found = {}
    members = set(dist.members)
    for name in members:
        if not name.endswith(".py"):
            continue
        prefix = DATA.match(name) if dist.is_wheel else ROOT.match(name)
        start = prefix.end() if prefix else 0
        *folders, file = name[start:].split("/")
        above = (name[:start] + "/".join(folders[:depth]) for depth in range(1, len(folders)))
        in_package = file.removesuffix(".py") in VERSION_MODULES and f"{name.rpartition('/')[0]}/__init__.py" in members
        if (in_package or not folders) and not any(f"{folder}/__init__.py" in members for folder in above):
            found[name] = name[start:]
    return found
