"""Whether the description renders; for the environments that have twine, and with it readme_renderer."""

import io
from functools import lru_cache
from pathlib import Path

from ..errors import Problem
from . import metadata
from .reading import Dist

KINDS = {".md": "text/markdown", ".markdown": "text/markdown", ".rst": "text/x-rst"}


def problems(dists: list[Dist]) -> list[Problem]:
    """Return each of `dists` whose description PyPI and `twine check` would refuse; Markdown always renders."""
    faults = [(dist, _fault(*metadata.description(dist.metadata))) for dist in dists]
    found, markup, remedy = "a description that does not render", "reStructuredText", "fix the README"
    return [dist.problem("description", f"{found} ({each})", markup, remedy) for dist, each in faults if each]


def mistaken(dist: Dist, folder: Path) -> list[Problem]:
    """Find a description from a file in `folder` whose markup is not the declared one, by which an index goes."""
    kind, text = metadata.description(dist.metadata)
    first = _first(text)
    files = [path for path in sorted(folder.iterdir()) if path.suffix in KINDS and path.is_file()]
    alike = [path for path in files if first and first == _first(path.read_text("utf-8", "replace"))]
    if kind == "text/plain" or {KINDS[path.suffix] for path in alike} in ({kind}, {*KINDS.values()}, set()):
        return []
    name, right = alike[0].name, KINDS[alike[0].suffix]
    remedy = f'write readme = {{ file = "{name}", content-type = "{right}" }} in [project] of pyproject.toml'
    remedy += f', or long_description_content_type="{right}" where setup.py or setup.cfg has long_description'
    return [dist.problem("description", f"{name} as {kind}", right, remedy)]


def _first(text: str) -> str:
    return next(filter(None, map(str.strip, text.lstrip("\ufeff").splitlines())), "")


@lru_cache(maxsize=8)  # the dists of a release mostly have the same
def _fault(kind: str, text: str) -> str:
    if kind != "text/x-rst" or not text.strip():
        return ""
    from readme_renderer import rst  # slow to import, and most descriptions are Markdown

    errors = io.StringIO()
    rendered = rst.render(text, stream=errors)
    return " ".join(errors.getvalue().split()) or "no reason given" if rendered is None else ""
