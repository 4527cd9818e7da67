"""The site of docs/: it builds without a warning, all links are valid, and a browser shows it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[1]
#: Where `.ci/run` installs it.
MERMAID = ROOT / ".venv-node/node_modules/mermaid"
#: Parses pictures, a list of texts in JSON, with the code that draws them on GitHub and on the site.
PARSE = """
const { JSDOM } = await import("jsdom");
globalThis.window = new JSDOM("").window;
globalThis.document = window.document;
const mermaid = (await import("mermaid")).default;
for (const text of JSON.parse(process.argv[1])) await mermaid.parse(text);
"""


class Links(HTMLParser):
    """The links of a page, and the anchors in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links, self.anchors = set[str](), {"", "top"}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, _: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links |= {value for name, value in attrs if name in {"href", "src"} and value}
        self.anchors |= {value for name, value in attrs if name == "id" and value}


def broken(site: Path) -> list[str]:
    """Return the links in `site` that lead to no file, or to no place in it."""
    pages = {path.resolve(): Links(path) for path in site.rglob("*.html")}
    found = []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not (parts.scheme or parts.netloc) and (
                not target.is_file()
                or unquote(parts.fragment) not in getattr(pages.get(target), "anchors", {parts.fragment})
            ):
                found.append(f"{path.name}: {link}")
    return sorted(found)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name of the standard library)
        """Print nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """Serve `site` on this machine, as a browser loads no module from a file; give its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def look(page: Page, site: str, shots: Path) -> None:
    """Open pages wide and narrow, dark and light; each fits its window, and a search finds what it should."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        colours = set()
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)
            for name in ("index", "errors", "api"):
                page.goto(f"{site}/{name}.html")
                if name == "index" and MERMAID.is_dir():
                    page.wait_for_selector("pre.mermaid svg")
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
                page.screenshot(path=shots / f"{name}-{width}-{scheme}.png", full_page=name == "index")
            colours.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert len(colours) == 2
    page.goto(f"{site}/search.html?q=yanking")
    page.wait_for_selector("ul.search li a")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site; each of its tests fails if there is a warning while it is built."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    env = {**os.environ, "MERMAID": str(MERMAID / "dist") if MERMAID.is_dir() else ""}
    command = [sys.executable, "-m", "nox", "-s", "docs", "--", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.mark.slow
def test_the_site_has_no_warning_and_no_broken_link(site: Path) -> None:
    assert broken(site) == []


@pytest.mark.slow
def test_the_site_is_readable_on_a_phone_and_in_the_dark(site: Path, browser: Browser, tmp_path: Path) -> None:
    with served(site) as address:
        look(browser.new_page(), address, Path(os.environ.get("SCREENSHOTS", tmp_path)))


def test_each_picture_is_one_that_mermaid_can_draw() -> None:
    if not (MERMAID.is_dir() and shutil.which("node")):
        assert "CI" not in os.environ
        pytest.skip("run: npm install --prefix .venv-node --no-save jsdom mermaid@11")
    texts = [path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]]
    pictures = [
        found for text in texts for found in re.findall(r"^```mermaid\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]
    assert len(pictures) > 1
    command = ["node", "--input-type=module", "--eval", PARSE, "--", json.dumps(pictures)]
    done = subprocess.run(command, cwd=MERMAID.parents[1], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_readme_states_how_much_lands_in_a_repository() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    counted = {
        "release.yml`": [ROOT / ".github/workflows/release.yml"],
        "tagship_suite/`": [*(ROOT / "src/tagship_suite").rglob("*.py")],
        "requirements/`": [ROOT / f".github/release/requirements/{name}" for name in ("nox.txt", "tools.txt")],
    }
    for name, paths in counted.items():
        match = re.search(rf"^\|.*{re.escape(name)}.*?\| ([\d,]+) \|", text, re.MULTILINE)
        assert match, name
        lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
        assert abs(int(match[1].replace(",", "")) - lines) <= lines / 10, (name, lines)
