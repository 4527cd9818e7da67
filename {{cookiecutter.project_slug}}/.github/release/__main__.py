"""Run a verb: `python .github/release VERB`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    # As a folder this is no package yet; named as one, its modules cannot be shadowed by the project's.
    folder = Path(__file__).resolve().parent
    sys.path[:] = [str(folder.parent), *(entry for entry in sys.path if Path(entry).resolve() != folder)]
    from release.cli import main

    sys.exit(main())
