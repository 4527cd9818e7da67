"""Wheels for several platforms: the settings of cibuildwheel, which its users often have in a workflow only."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomlkit

from tagship import update
from tagship.adopt import settings
from tagship.adopt.files import style
from tagship.adopt.model import Decision
from tagship.facts import distributions, workflow
from tagship.facts.marked import texts
from tagship_suite.files import tomllib
from tagship_suite.repo.packages import is_compiled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagship.adopt.model import Adoption
    from tagship.facts.workflow import Job, Step, Workflow
    from tagship_suite.errors import Problem

    Built = tuple[Workflow, Job, Step]

#: cibuildwheel as an action or a command, and not only installed.
CIBUILDWHEEL = re.compile(r"(?m)(?:^|[;&])(?:(?!\binstall\b)[^;&\n])*?\bcibuildwheel\b")
#: All that builds wheels for several platforms.
PLATFORMS = re.compile(rf"{CIBUILDWHEEL.pattern}|\bmaturin-action\b")
#: An option of cibuildwheel as a variable, for all platforms or for one.
OPTION = re.compile(r"CIBW_(?P<name>\w+?)(?:_(?P<platform>LINUX|MACOS|WINDOWS|PYODIDE|ANDROID|IOS))?")
#: Its keys in TOML. Source: resources/cibuildwheel.schema.json in cibuildwheel, which refuses any other key.
KEYS = """archs audit-command audit-requires before-all before-build before-test build build-frontend build-verbosity
config-settings container-engine dependency-versions enable environment environment-pass manylinux-i686-image
manylinux-pypy_i686-image manylinux-pypy_x86_64-image manylinux-x86_64-image musllinux-i686-image musllinux-x86_64-image
pyodide-version repair-wheel-command skip test-command test-environment test-extras test-groups test-requires
test-runtime test-skip test-sources xbuild-files xbuild-tools"""
NAMES = {key.upper().replace("-", "_"): key for key in KEYS.split()}
#: Keys in the table of a platform that cibuildwheel refuses.
REFUSED = re.compile(
    r"\w+\.(?:build|enable|skip|test-skip)|linux\.dependency-versions"
    r"|(?!linux\.)\w+\.(?:container-engine|environment-pass|m\w+linux-.*)"
)
#: Options of the command only.
OTHER = re.compile(
    r"PLATFORM|CACHE_PATH|OUTPUT_DIR|LOG_\w+|DEBUG\w*|ALLOW_EMPTY|PRERELEASE_PYTHONS|FREE_THREADED\w*|PROJECT_\w+"
)
#: Those that switch something off if they are empty; others have their default then.
EMPTY = {"REPAIR_WHEEL_COMMAND"}
#: What needs an emulator, which the release's workflow does not install.
EMULATED = re.compile(r"(?i)aarch64|ppc64le|s390x|armv7l|riscv64")
RUNNER = re.compile(r"(?:ubuntu|windows|macos)-[\w.-]+")


def wheels(found: Adoption) -> list[Problem]:
    """Add a step for projects that build wheels for several platforms, or whose wheels hold compiled code."""
    root, pure = found.folder, [each.folder for each in found.packages if not is_compiled(each.folder)]
    if not pure:
        return []
    native = [folder for folder in pure if distributions.has_extensions(folder, root)]
    files = [(folder / "pyproject.toml").relative_to(root).as_posix() for folder in native or pure]
    sync, built = update.command("sync", root), [*_built_for_platforms(root)]
    if built and (native or len(pure) == len(found.packages)):  # else it builds those that have the settings
        if not (len(files) == 1 and _write(found, files[0], built)):
            _name_settings(found, " or ".join(files), built)
        _name_runners(found, built)
        return []
    found.todo += [
        f"add [tool.cibuildwheel] to {file}, as the project has compiled code, and run: {sync}; without it, Linux "
        "wheels are built for one machine only, and PyPI refuses them"
        for file in files
        if native
    ]
    return []


def _built_for_platforms(root: Path) -> Iterator[Built]:
    """Yield each step that builds wheels for several platforms, with its job and workflow."""
    for read in workflow.readable(root):
        for job in read.jobs.values():
            yield from ((read, job, step) for step in job.steps if PLATFORMS.search(f"{step.action} {step.run}"))


def _write(found: Adoption, file: str, built: list[Built]) -> bool:
    """Add `[tool.cibuildwheel]` with the settings of the workflow; return whether that is possible."""
    path, where = Path(file), _where(built[0])
    if any(not CIBUILDWHEEL.search(f"{step.action} {step.run}") or "config-file" in _all(step) for _, _, step in built):
        return False
    carried, text = _agreed(built), found.text(path)
    table = tomlkit.table()
    table.add(tomlkit.comment(where))
    for key, value in carried.items():
        _add(table, key, value if isinstance(value, int) else style.value(text, key, value))
    after = settings.appended(text, "cibuildwheel", table)
    try:
        tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        return False
    found.changes[path], found.compiled = after.encode(), True
    found.decisions.append(Decision("wheels", "[tool.cibuildwheel]", where))
    names = {name: key for each in built for name, key, _ in _options(*each)}
    if lost := [name for name, key in names.items() if key not in carried]:
        found.todo.append(
            f"complete [tool.cibuildwheel] in {file} with {', '.join(lost)} of {where}, not copied because each is "
            "computed, differs between jobs, needs an emulator, or is not a setting in TOML"
        )
    return True


def _add(table: Any, key: str, value: Any) -> None:
    """Add a key such as `linux.archs`, after those without a platform."""
    platform, _, option = key.rpartition(".")
    if platform and platform not in table:
        table.add(platform, tomlkit.table())
    (table[platform] if platform else table).add(option, value)


def _all(step: Step) -> str:
    return f"{step.run} {list(step.inputs)}"


def _where(built: Built) -> str:
    read, _, step = built
    return f"{read.file}:{step.line}"


def _name_settings(found: Adoption, files: str, built: list[Built]) -> None:
    """Add a step for a table that a person has to write."""
    where, sync = _where(built[0]), update.command("sync", found.folder)
    shown = "; ".join(f"{key} = {json.dumps(value)}" for key, value in _agreed(built).items())
    found.decisions.append(Decision("wheels", "for this platform only", f"the settings of {where} were not copied"))
    found.todo.append(
        f"add [tool.cibuildwheel] to {files}, with the settings of {where} (CIBW_*)"
        f"{f': {shown};' if shown else ','} and run: {sync}; without it, only one wheel is built"
    )


def _agreed(built: list[Built]) -> dict[str, str | int]:
    """Return the settings on which the steps agree, those of a platform last; others must be the same in all steps."""
    steps = [{key: value for _, key, value in _options(*each) if value is not None} for each in built]
    found = dict[str, str | int]()
    for key in sorted({key: None for each in steps for key in each}, key=lambda key: "." in key):
        values = {each[key] for each in steps if key in each}
        if len(values) == 1 and ("." in key or all(key in each for each in steps)):
            found[key] = values.pop()
    return found


def _options(read: Workflow, job: Job, step: Step) -> Iterator[tuple[str, str, str | int | None]]:
    """Yield the variables of a step, their keys of `[tool.cibuildwheel]`, and their values, None if not possible."""
    for variable, value in {**read.env, **job.env, **step.env}.items():
        option, text = OPTION.fullmatch(str(variable)), str(value).strip()
        if not option or OTHER.fullmatch(option["name"]) or not (text or option["name"] in EMPTY):
            continue
        name = NAMES.get(option["name"], "")
        key = f"{option['platform'].lower()}.{name}" if option["platform"] else name
        is_known = name and not REFUSED.fullmatch(key)
        emulated = not name.endswith("skip") and EMULATED.search(f"{variable} {text}")
        literal = is_known and "${{" not in text and not emulated
        yield str(variable), key, (int(text) if text.isdecimal() else text) if literal else None


def _name_runners(found: Adoption, built: list[Built]) -> None:
    """Add a step for the variable that names the machines, if the workflow has several."""
    named = [text for _, job, _ in built for key in ("runs-on", "strategy") for text in texts(job.node.get(key))]
    plain = re.compile(r"ubuntu-(?!.*arm)")  # most like the one that runs the tests
    runners = sorted({name for text in named for name in RUNNER.findall(text)})
    runners.sort(key=lambda name: not plain.match(name))
    if runners[1:]:
        shown = json.dumps(runners[:8])
        found.todo.append(
            f"set the repository variable BUILD_ON to {shown}; without it, wheels are built on Linux only"
        )
