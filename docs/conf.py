"""The site in docs/: `nox -s docs`."""

import os
from importlib.metadata import version as of

project = "tagship"
version = release = of("tagship")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton", "sphinxcontrib.mermaid"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
copybutton_exclude = ".linenos, .gp, .go"

default_role = "literal"  # docstrings use single backticks, as Markdown does
autodoc_member_order = "bysource"
autodoc_typehints = "signature"

html_theme = "furo"
html_title = "tagship"
html_show_copyright = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
mermaid_fullscreen = False
mermaid_height = "auto"
if folder := os.environ.get("MERMAID"):  # the npm package's dist/, for a page that loads nothing from elsewhere
    html_static_path.append(folder)
    mermaid_use_local = "mermaid.esm.min.mjs"
