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
        shutil.copy2(ROOT / path, TEMPLATE / path)


if __name__ == "__main__":
    main()
