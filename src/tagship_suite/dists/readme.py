"""Whether the description renders; for the environments that have twine, and with it readme_renderer."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import Problem

if TYPE_CHECKING:
    from .reading import Dist


def problems(dists: list[Dist]) -> list[Problem]:
    """Return each dist whose description an index would refuse; Markdown and plain text always render.

    Source of the rule: `twine check`, which build runs, and PyPI's file upload view.
    """
    return [
        Problem(str(dist.path), f"a description that does not render ({fault})", "reStructuredText", "fix the README")
        for dist in dists
        if (fault := _fault(_restructured(dist)))
    ]


def _restructured(dist: Dist) -> str:
    """Return the description where it is reStructuredText, as it is without a content type."""
    kind = dist.metadata.get("Description-Content-Type", "text/x-rst").partition(";")[0].strip().lower()
    body = str(dist.metadata.get_payload())
    text = body if body.strip() else dist.metadata.get("Description", "")
    return text if kind in {"", "text/x-rst"} and text.strip() != "UNKNOWN" else ""


@lru_cache(maxsize=8)  # the dists of a release mostly have the same
def _fault(text: str) -> str:
    if not text.strip():
        return ""
    from readme_renderer import rst  # slow to import, and most descriptions are Markdown

    said = io.StringIO()
    return "" if rst.render(text, stream=said) is not None else " ".join(said.getvalue().split()) or "no reason given"
