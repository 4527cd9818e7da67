"""Write what is made from another file: managed files, copier.yml, and the pages of the settings and the rules."""

import inspect
import re
import shutil
from pathlib import Path
from textwrap import fill

from dev import questions
from tagship import suite
from tagship.audit.rules import RULES
from tagship_suite.config import SETTINGS, Config

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"


def main() -> None:
    """Write everything, and remove managed files of the template that are no longer there."""
    shutil.rmtree(TEMPLATE / suite.RELEASE, ignore_errors=True)
    for folder in {suite.WORKFLOW.parent, suite.PIPELINE.parent}:
        shutil.rmtree(TEMPLATE / folder, ignore_errors=True)
    for path, content in written().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def written() -> dict[Path, bytes]:
    """Return the files to write, by their paths."""
    found = {TEMPLATE / path: content for path, content in suite.files().items() if path != suite.WORKFLOW}
    pages = {
        "copier.yml": questions.copier(),
        "docs/configuration.md": configuration(),
        "docs/audit.md": audit(),
    }
    return {**found, **workflows(), **{ROOT / name: text.encode() for name, text in pages.items()}}


def workflows() -> dict[Path, bytes]:
    """Return the template's workflows, each for the choices that need it.

    cookiecutter can leave out a file by its name only if it renders the file. `raw` keeps its text unchanged.
    """
    chosen = {f"== {choice!r}": (suite.WORKFLOW, path) for choice, path in suite.WORKFLOWS.items()}
    chosen["== 'gitlab'"] = (suite.PIPELINE, suite.GITLAB)
    chosen["!= 'gitlab'"] = (suite.WORKFLOW.with_name("ci.yml"), Path("templates/ci.yml"))
    return {
        TEMPLATE / place.with_name(f"{tag(f'if cookiecutter.publish_with {condition}')}{place.name}{tag('endif')}"): (
            tag("raw").encode() + (ROOT / path).read_bytes() + tag("endraw").encode()
        )
        for condition, (place, path) in chosen.items()
    }


CONFIGURATION = """\
# Settings

All settings are optional, in `[tool.tagship]` of `pyproject.toml`. If a repository has several distributions, each has
its own `pyproject.toml` and inherits the settings of the root, except those marked with *.

| Setting | Value | Meaning |
|---|---|---|
{rows}

This page is generated from `src/tagship_suite/config.py` by `nox -s sync`.
"""


def configuration() -> str:
    """Return the page that describes each setting."""
    comments = re.findall(r"((?:^    #: .*\n)+)    (\w+): ", inspect.getsource(Config), re.MULTILINE)
    meanings = {name: " ".join(re.findall("#: (.*)", lines)) for lines, name in comments}
    rows = (
        f"| `{key}`{'*' * each.metadata['own']} | {each.metadata['expected']} | {meanings[each.name]} |"
        for key, each in SETTINGS.items()
    )
    return CONFIGURATION.format(rows="\n".join(rows))


AUDIT = """\
# Auditing repositories

`tagship audit PATH...` reads the workflows of a repository, and everything else that publishes it, and reports what is
unsafe or broken. It runs no code of the repository. Each finding names the file, the line and the job.

`--format json` prints one object per repository, one per line; `--format sarif` prints a SARIF 2.1.0 log for code
scanning. Exit status 0: no findings. 1: findings. 2: something cannot be read.

If a workflow, pyproject.toml, setup.cfg or setup.py cannot be read, or if there is no workflow and no distribution, the
repository has the status `unreadable`, with a line for each such file in `errors` next to its findings. The other
repositories are audited.

If [zizmor](https://docs.zizmor.sh) is installed, its findings about the same workflows are added, unless you pass
`--no-zizmor`. The rules below cover what it does not check: who publishes, from what, and when.

## Fixing findings

```console
tagship audit --diff .                  # show what --fix would change
tagship audit --fix .                   # make the safe fixes
tagship audit --fix --unsafe-fixes .    # make all fixes
```

A fix is safe if it cannot change what a good release does. It changes only the lines that it must, and keeps comments
and line ends. All files of a repository are changed, or none. Uncommitted changes are refused, so that
`git diff` shows exactly what was fixed; a second run changes nothing. zizmor's own fixes are made as well.

Some findings have no fix, because a person must do something outside of the repository first: register a trusted
publisher or protect an environment. `tagship adopt` writes a whole workflow without any of these findings.

## Rules

{rules}

This page is generated from `src/tagship/audit/rules/` by `nox -s sync`.
"""


def audit() -> str:
    """Return the page that describes each rule of `tagship audit`."""
    rules = (
        f"### {rule.message()}\n\n`{rule.name}` ({rule.level})\n\n{fill(rule.why(), 120)}\n\n"
        f"What to do: {fill(rule.remedy, 108)}." + (f"\n\n`--fix`: {fill(rule.fixes, 111)}." if rule.fixes else "")
        for rule in RULES
    )
    return AUDIT.format(rules="\n\n".join(rules))


def tag(content: str) -> str:
    """Return `content` as a tag of cookiecutter's templates, which no code here may hold itself."""
    return "{" + f"% {content} %" + "}"


if __name__ == "__main__":
    main()
