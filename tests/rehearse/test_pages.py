"""The report of a rehearsal as a page, in HTML and in Markdown, opened in a real browser."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from comrak import ExtensionOptions, RenderOptions, render_markdown

from tagship.rehearsal.pages import html, markdown
from tagship.rehearsal.report import Compared, File, Publisher, Report, Step
from tests.conftest import try_run
from tests.rehearse.command import TAGSHIP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Runs in a page that does not escape it, in an element, an attribute, code or a table of Markdown.
HOSTILE = (
    "'\"></code></pre></td><script>hacked = 1</script><img src=x onerror='hacked = 1'> ``` ` | [x](javascript:hacked)"
)
#: The elements that no text may make.
INERT = {"SCRIPT", "IMG", "IFRAME", "OBJECT", "FORM", "INPUT"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


def hostile(outcome: str) -> Report:
    """Return a report in which every text is hostile."""
    wide = {each.name: HOSTILE for each in fields(Publisher) if each.type == "str"} | {"index": "pypi"}
    values = {"project_name": HOSTILE, "owner": HOSTILE, "ref": HOSTILE}
    publisher = Publisher(
        **wide,
        prefilled=False,
        values=dict.fromkeys(("project_name", "owner"), HOSTILE),
        seen=values,
        differences=(HOSTILE,),
        compared=(Compared("owner", HOSTILE, HOSTILE, matches=False),),
    )
    publisher = replace(publisher, link="https://pypi.org/manage/account/publishing/")
    report = Report(HOSTILE, HOSTILE, HOSTILE, notes=[HOSTILE], began=HOSTILE, publishers=[publisher])
    report.steps = [Step(HOSTILE, 1.0, outcome, (HOSTILE, HOSTILE))]
    report.bundle = [File(HOSTILE, 1, HOSTILE)]
    report.files = [File(HOSTILE, 1, HOSTILE, "pypi")]
    return report


def rendered(text: str) -> str:
    """Render GitHub's Markdown, with all HTML that is in it: GitHub would remove some."""
    extensions, options = ExtensionOptions(), RenderOptions()
    extensions.table = extensions.autolink = extensions.strikethrough = True
    options.unsafe_ = True
    return str(render_markdown(text, extension_options=extensions, render_options=options))


def opened(browser: Browser, content: str) -> Page:
    """Open a page that may run every script, whatever its own policy says."""
    page = browser.new_context(bypass_csp=True).new_page()
    page.set_content(content)
    return page


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["failed", "passed", "left out"])
def test_no_text_of_a_project_becomes_markup(browser: Browser, outcome: str) -> None:
    report = hostile(outcome)
    for content, scripts in ((html.page(report), 1), (rendered(markdown.page(report)), 0)):
        page = opened(browser, content)
        found = page.evaluate("[...document.querySelectorAll('*')].map(each => each.tagName)")
        assert [name for name in found if name in INERT] == ["SCRIPT"] * scripts
        assert page.evaluate("[typeof hacked, document.querySelectorAll('[onerror], [href^=javascript]').length]") == [
            "undefined",
            0,
        ]
        assert page.locator("body").inner_text().count("hacked = 1</script>") > 8
        page.context.close()


@pytest.fixture(scope="module")
def refused() -> Report:
    """A release that TestPyPI refuses, as its publisher names another environment."""
    values = {"owner": "Octo", "repository": "my-package", "workflow_filename": "release.yml"}
    compared = tuple(Compared(name, value, value, matches=True) for name, value in values.items())
    publishers = [
        Publisher(
            index,
            "https://pypi.org/manage/account/publishing/",
            prefilled=False,
            values={"project_name": "my-package", **values, "environment": index},
            compared=(*compared, Compared("environment", index, "release", matches=False)) * (index == "testpypi"),
            differences=("The job's environment is 'testpypi', but 'release' is registered.",) * (index == "testpypi"),
        )
        for index in ("pypi", "testpypi")
    ]
    steps = [
        Step("nox -s verify-version", 0.2, "passed"),
        Step("nox -s publish-test", 1.0, "failed", ("error: " + "long " * 60,), 0.3),
        Step("nox -s publish", 0.0, "not run"),
    ]
    bundle = [File("my_package_with_a_long_name-1.0.0-cp312-cp312-manylinux_2_28_x86_64.whl", 4000, "a" * 64)]
    return Report("my-package", "v1.0.0", "c" * 40, steps=steps, bundle=bundle, publishers=publishers, quick=True)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_fits_wide_and_narrow_screens_dark_and_light(
    browser: Browser, refused: Report, tmp_path: Path, width: int, scheme: str
) -> None:
    (tmp_path / "page.html").write_text(html.page(refused), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    problems: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requested.append(request.url))
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert problems == []
    assert requested == [(tmp_path / "page.html").as_uri()], "the page needs no other file"
    back, text = page.evaluate("(style => [style.backgroundColor, style.color])(getComputedStyle(document.body))")
    assert (sum(parts(back)) < sum(parts(text))) == (scheme == "dark")
    page.close()


def parts(colour: str) -> list[int]:
    """Return the red, green and blue of a colour as the browser writes it."""
    return [int(each) for each in colour[4:-1].split(",")]


def test_a_difference_is_marked_and_each_value_can_be_copied(browser: Browser, refused: Report, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(html.page(refused), encoding="utf-8")
    page = browser.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    assert page.title() == "my-package v1.0.0: failed"
    (differing,) = page.locator("tr.differs").all()
    assert differing.inner_text().split() == ["Environment", "name", "testpypi", "release", "≠", "differs"]
    assert "but 'release' is registered" in page.locator(".difference").inner_text()
    copied = []
    for button in page.locator("#register .card:last-child button").all():
        button.click()
        copied.append(page.evaluate("navigator.clipboard.readText()"))
    assert copied == ["my-package", "Octo", "my-package", "release.yml", "testpypi"]
    page.close()


def test_of_several_projects_each_publisher_has_its_name(refused: Report) -> None:
    first = refused.publishers[0]
    second = replace(first, values={**first.values, "project_name": "other"})
    text = markdown.page(replace(refused, publishers=[first, second]))
    assert [line for line in text.splitlines() if line.startswith("## The publisher")] == [
        "## The publisher at `PyPI: my-package`",
        "## The publisher at `PyPI: other`",
    ]


@pytest.mark.slow
def test_a_rehearsal_writes_what_it_found_to_each_file(built: Path, tmp_path: Path, browser: Browser) -> None:
    page, text = tmp_path / "page.html", tmp_path / "page.md"
    text.write_text("an earlier report\n")
    command = (*TAGSHIP, "rehearse", "--quick", "--fail", "wrong-workflow-file")
    assert try_run(*command, "--report", page, "--report", text, cwd=built).returncode == 1
    shown = browser.new_page()
    shown.goto(page.as_uri())
    assert shown.locator(".steps li").all_inner_texts()[1].startswith("nox -s publish-test")
    assert shown.locator("tr.differs").inner_text().split()[2:4] == ["release.yml", "publish.yml"]
    hashes = shown.locator(".hash").all_inner_texts()
    assert len(hashes) == 2
    shown.close()
    written = text.read_text()
    assert written.startswith("# Rehearsal of `my-package` `v0.1.0`\n\n❌ ")
    assert "| `Workflow name` | `release.yml` | `publish.yml` | `differs` |" in written
    assert all(each in written for each in hashes)


@pytest.mark.parametrize("name", ["page.txt", "page", "missing/page.html", "folder.md"])
def test_a_place_for_no_report_is_refused_before_anything_runs(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.md").mkdir()
    done = try_run(*TAGSHIP, "rehearse", "--report", name, cwd=tmp_path)
    assert (done.returncode, len(done.stdout.splitlines())) == (2, 2), done.stdout  # with the link
    assert done.stdout.startswith(f"error: --report {name}: found ")
