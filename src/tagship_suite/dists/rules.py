"""The rules by which PyPI refuses an upload, checked before the tag rather than after it.

Source of the rules: https://docs.pypi.org/ and the file upload view of pypi/warehouse (warehouse/forklift/legacy.py and
metadata.py). What changes at the index or cannot be known offline is left to it: whether an e-mail address can exist,
the size of a whole project, whether the name is free. The gate checks for local versions.
"""

import configparser
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from ..errors import Problem, ReleaseError, collecting
from . import metadata, zips
from .metadata import UNKNOWN, Fault, same_version
from .modules import entry_points
from .reading import Dist, message

Rule = Callable[[Dist], Iterable[Fault]]

#: The longest file name in bytes: the index serves the metadata under that name plus `.metadata`.
MAX_NAME = 255 - len(".metadata")
#: How long after its first file a release accepts others.
MAX_AGE = timedelta(days=14)
#: https://packaging.python.org/en/latest/specifications/name-normalization/
NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
_ARCHES = "x86_64|i686|aarch64|armv7l|ppc64le|s390x|riscv64"
PLATFORM = re.compile(
    "any|win32|win_(?:amd64|arm64|ia64)|linux_armv[67]l"
    "|manylinux1_(?:x86_64|i686)|manylinux2010_(?:x86_64|i686)"
    "|manylinux2014_(?:x86_64|i686|aarch64|armv7l|ppc64|ppc64le|s390x)"
    rf"|manylinux_\d+_\d+_(?:{_ARCHES}|ppc64)|musllinux_\d+_\d+_(?:{_ARCHES})"
    r"|macosx_(?:10_\d+|(?:1[1-5]|26)_0)_(?:ppc|ppc64|i386|x86_64|arm64|intel|fat|fat3|fat64|universal|universal2)"
    r"|ios_\d+_\d+_(?:arm64|x86_64)_(?:iphoneos|iphonesimulator).*"
    r"|android_\d+_(?:armeabi_v7a|arm64_v8a|x86|x86_64)|pyemscripten_\d+_\d+_wasm32.*"
)
#: PyPI adds a macOS version every year: later ones than those above are left to it.
NEXT_MACOS = re.compile(r"macosx_(?:2[7-9]|[3-9]\d)_0(?=_)")
#: A script that an installer writes over the interpreter of a virtual environment.
INTERPRETER = re.compile(r"\.data/scripts/pythonw?[\d.]*(?:\.exe)?")
#: What PyPI considers encrypted code, written so that this file does not match.
PYARMOR = re.compile(rb"__pyarmor__\(__name__, __file__,|__pyarmor_(?:enter|exit|assert|bcc)__")
SOURCE_DEFENDER = (b"---BEGIN PYE\x20FILE---", b"---END PYE\x20FILE---")


def problems(dists: list[Dist], limit: int, *, public: bool | None = None) -> list[Problem | str]:
    """Return every reason why PyPI would refuse one of `dists`, or why unpacking it would be unsafe.

    `limit` is PyPI's file size limit for this project in MiB. `public` is whether they go to PyPI, rather than to a
    registry without such rules; None: decided by their classifiers.
    """
    found: list[Problem | str] = []
    for dist in dists:
        is_public = not _private(dist) if public is None else public
        if is_public and dist.size > limit * 2**20:
            remedy = "ship less, or ask PyPI for a higher limit and set file-limit in [tool.tagship] to what it granted"
            found.append(dist.problem("file-size", f"{dist.size / 2**20:.1f} MiB", f"at most {limit} MiB", remedy))
        code: list[Fault] = []
        with collecting(found):
            found += dist.check(partial(_scan, code))
        found += (dist.problem(*fault) for fault in code if is_public)
        for rule in (*SOUND, *PUBLIC) if is_public else SOUND:
            with collecting(found):
                found += (dist.problem(*fault) for fault in rule(dist))
    sdists = [dist.path.name for dist in dists if not dist.is_wheel]
    if len(sdists) > 1:
        several = f"{len(sdists)} sdists ({', '.join(sdists)})"
        found.append(Problem("several-sdists", "dist", several, "one", "remove the others"))
    return list(dict.fromkeys(found))


def too_old(uploaded: Mapping[str, str], missing: list[Dist]) -> list[Problem]:
    """Return why PyPI will not accept `missing`, files of one release: a release is closed after 14 days.

    `uploaded` has the upload time of each file of the project at the index, in ISO 8601 (`upload-time` of PEP 700).
    PyPI counts from the creation of the release, with its first file; if that was deleted, only PyPI knows.
    """
    version = missing[0].version if missing else ""
    times = [_time(text) for name, text in uploaded.items() if same_version(_version(name), version)]
    now = datetime.now(timezone.utc)
    first = min(filter(None, times), default=now)
    if now - first <= MAX_AGE:
        return []
    names = ", ".join(dist.path.name for dist in missing)
    found, expected = f"a release of {first:%Y-%m-%d}", f"one that is at most {MAX_AGE.days} days old"
    answer = f"Uploading new files to releases older than {MAX_AGE.days} days is not allowed."
    remedy = f"release a new version: PyPI says {answer!r}"
    return [Problem("release-too-old", f"{names}: missing at the index", found, expected, remedy)]


def _version(filename: str) -> str:
    if filename.endswith(".whl"):
        return filename.split("-")[1] if "-" in filename else ""
    return filename.removesuffix(".tar.gz").removesuffix(".zip").rpartition("-")[2]


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def _scan(found: list[Fault], name: str, content: bytes) -> None:
    for tool in encrypted(content):
        what, expected = f"code that {tool} encrypted", "source code, as PyPI requires"
        found.append(("encrypted-code", what, expected, "ship the source", name))


def encrypted(content: bytes) -> list[str]:
    """Return the tools that seem to have encrypted this source code."""
    found = ["PyArmor"] if b"__pyarmor_" in content and PYARMOR.search(content) else []
    return found + ["SourceDefender"] * all(sign in content for sign in SOURCE_DEFENDER)


def _name(dist: Dist) -> Iterator[Fault]:
    name, version = dist.metadata.get("Name", ""), dist.metadata.get("Version", "")
    file, plain = dist.path.name, dist.name.replace("-", "_")
    is_same = same_version(version, dist.version)
    if canonicalize_name(name) != dist.name or not is_same:
        expected = f"{dist.name} {dist.version} as in the file name"
        yield "metadata", f"metadata of {name!r} {version!r}", expected, "build it again"
    if not re.fullmatch(NAME, name):
        expected = "letters, digits, and '.', '_', '-' between them"
        yield "metadata", f"the name {name!r}", expected, "rename it"
    if (size := len(file.encode())) > MAX_NAME:
        found = f"a file name of {size} bytes"
        yield "file-name", found, f"at most {MAX_NAME} bytes", "shorten the name or the version"
    sdist = f"{plain}-{Version(version) if is_same else dist.version}.tar.gz"
    if not dist.is_wheel and file != sdist:
        # https://peps.python.org/pep-0625/
        yield "file-name", repr(file), repr(sdist), "use a build backend that implements PEP 625"
    if dist.is_wheel and (start := file.split("-")[0]) != plain:
        # https://packaging.python.org/en/latest/specifications/binary-distribution-format/#escaping-and-unicode
        yield "file-name", f"a file name of {start!r}", repr(plain), "use a newer build backend"


def _private(dist: Dist) -> list[str]:
    """Return the classifiers by which a project says that it is not for PyPI."""
    with suppress(ReleaseError):
        return [text for text in dist.metadata.get_all("Classifier", []) if text.startswith("Private ::")]
    return []


def _barred(dist: Dist) -> Iterator[Fault]:
    for text in _private(dist):
        remedy = "set TWINE_REPOSITORY_URL to the registry that it is for"
        yield "classifier", f"classifier {text!r}", "none that bars it from PyPI", remedy


def classifiers(dist: Dist) -> Iterator[Fault]:
    """Find unknown and deprecated classifiers; nothing in an environment without trove-classifiers."""
    try:
        import trove_classifiers as trove  # in the environment of the build's tools, and in that of publish
    except ImportError:
        return
    for text in sorted({*dist.metadata.get_all("Classifier", [])} - trove.classifiers):
        if text not in UNKNOWN and not text.startswith("Private ::"):
            instead = " or ".join(map(repr, trove.deprecated_classifiers.get(text, ())))
            remedy = "correct it; if it is newer than trove-classifiers in tools.txt, update that"
            expected = instead or "one of https://pypi.org/classifiers/"
            yield "classifier", f"classifier {text!r}", expected, remedy


def _platforms(dist: Dist) -> Iterator[Fault]:
    for platform in sorted({tag.platform for tag in dist.tags}):
        if not PLATFORM.fullmatch(NEXT_MACOS.sub("macosx_26_0", platform)):
            expected, remedy = "one that PyPI knows", "build it with cibuildwheel"
            if platform.startswith("linux"):
                expected = "manylinux or musllinux"
                remedy = "add [tool.cibuildwheel] to pyproject.toml, for wheels that run on other machines too; "
                remedy += "if it is there, start Docker or Podman, which cibuildwheel needs, or let CI build the wheels"
            yield "platform-tag", f"platform {platform!r}, which PyPI refuses", expected, remedy


def _members(dist: Dist) -> Iterator[Fault]:
    """Find files that the name or the metadata announce and that are missing, and wrong entry points."""
    folder = dist.info if dist.is_wheel else next(iter(dist.members), "").split("/")[0]
    needed = ["METADATA", "WHEEL"] if dist.is_wheel else ["PKG-INFO"]
    if same_version(dist.metadata.get("Metadata-Version", "0"), "2.4", newer=True):  # PEP 639
        licenses = "licenses/" if dist.is_wheel else ""
        needed += [f"{licenses}{name}" for name in metadata.values(dist.metadata, "License-File")]
    for path in (f"{folder}/{name}" for name in needed):
        if path not in dist.members and path not in dist.folders:
            yield "metadata", f"no {path}", "one, as its name and metadata say", "build it again"
    if dist.is_wheel and (scripts := f"{folder}/entry_points.txt") in dist.members:
        places = {zips.installed(name) for name in dist.members}
        for fault in _entry_points(dist.read(scripts, "utf-8"), places):
            yield "entry-points", *fault, scripts


def notes(dist: Dist) -> Iterator[str]:
    """Yield notes on what indexes accept in a wheel: a script called `python`, modules that are only announced.

    And other tags in WHEEL than in the file name, which is all that installers look at.
    """
    places = {zips.installed(name) for name in dist.members if dist.is_wheel}
    for script in (place for place in sorted(places) if INTERPRETER.fullmatch(place)):
        yield f"{dist.path}: {script} replaces the interpreter where it is installed: rename it [entry-points]"
    for name in metadata.values(dist.metadata, "Import-Name") if dist.is_wheel else ():
        module = name.partition(";")[0].strip().replace(".", "/").lower()
        if module and not any(place.startswith((f"{module}/", f"{module}.")) for place in places):
            yield f"{dist.path}: no module for the Import-Name {name!r}: correct import-names [no-module]"
    text = dist.read(f"{dist.info}/WHEEL") if dist.is_wheel else ""
    lines = [line for line in message(text).get_all("Tag", []) if line.count("-") == 2]
    if (found := {tag for line in lines for tag in parse_tag(line)}) and found != dist.tags:
        here, named = (" ".join(sorted(map(str, tags))) for tags in (found, dist.tags))
        yield f"{dist.path}: WHEEL has the tags {here}, the file name {named}: rename it with `wheel tags` [wheel-tags]"


def _entry_points(text: str, places: set[str]) -> Iterator[tuple[str, str, str]]:
    if text.startswith("\ufeff"):  # installers do not skip it
        yield "a byte order mark", "none", "save it as UTF-8 without one"
    try:
        groups = entry_points(text)
    except configparser.Error as error:
        yield error.message.splitlines()[0], "an INI file", "correct the entry points"
        return
    scripts: dict[str, str] = {}
    found = sorted({"console_scripts", "gui_scripts"} & {*groups.sections()})
    for name, value in (item for group in found for item in groups.items(group)):
        if not re.fullmatch(r"[\w.-]+", name):
            yield f"the script {name!r}", "a name of letters, digits, '.', '_' and '-'", "rename it"
        elif f".data/scripts/{name.lower()}" in places or scripts.setdefault(name.lower(), value) != value:
            yield f"two different scripts {name!r}", "one of each name", "rename one"


#: The rules of every index, and the further ones of PyPI.
SOUND: tuple[Rule, ...] = (_name, lambda dist: metadata.requires_python(dist.metadata), _members)
PUBLIC: tuple[Rule, ...] = (_barred, classifiers, lambda dist: metadata.faults(dist.metadata_text), _platforms)
