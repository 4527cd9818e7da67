"""Copy the managed files from the root, where they are written, into the template."""

import shutil
from pathlib import Path

from tagship import suite

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "{{cookiecutter.project_slug}}"


def main() -> None:
    """Make the template's copy of the suite the root's, without what the root no longer has."""
    shutil.rmtree(TEMPLATE / ".github", ignore_errors=True)
    for path in suite.managed(ROOT):
        (TEMPLATE / path).parent.mkdir(parents=True, exist_ok=True)
        if path != suite.WORKFLOW:
            shutil.copy2(ROOT / path, TEMPLATE / path)
    for path, text in workflows().items():
        path.write_bytes(text.encode())


def workflows() -> dict[Path, str]:
    """Return the template's files that become the workflow, each if it is the one that was asked for.

    cookiecutter can leave out a file by its name only if it renders the file. `raw` keeps its text as it is.
    """
    folder = TEMPLATE / suite.WORKFLOW.parent
    return {
        folder / f"{tag(f'if cookiecutter.publish_with == {choice!r}')}{suite.WORKFLOW.name}{tag('endif')}": (
            tag("raw") + (ROOT / path).read_bytes().decode() + tag("endraw")
        )
        for choice, path in suite.WORKFLOWS.items()
    }


def tag(words: str) -> str:
    """Return `words` as a tag of cookiecutter's templates, which no code here may hold itself."""
    return "{" + f"% {words} %" + "}"


if __name__ == "__main__":
    main()
