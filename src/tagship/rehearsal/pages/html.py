"""The page in HTML: a self-contained file, in which all text is escaped."""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import Markup

from tagship.rehearsal.pages import facts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tagship.rehearsal.report import File, Publisher, Report, Step

PAGE = Markup("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'">
<title>{name} {tag}: {outcome}</title>
<style>
{style}</style>
</head>
<body>
<header>
<p class="kind">Rehearsal of a release</p>
<h1>{name} <span>{tag}</span></h1>
<p class="verdict {outcome}"><b>{outcome}</b> {verdict}</p>
<p class="facts">commit <code>{commit}</code> · {began} · {seconds:.1f} seconds</p>
</header>
<main>
{sections}
</main>
<footer>Made by tagship {version}. The indexes ran on this machine: nothing was uploaded to PyPI or TestPyPI.</footer>
<script>{script}</script>
</body>
</html>
""")
SECTION = Markup('<section id="{}">\n<h2>{}</h2>\n{}\n</section>')
STEP = Markup("""\
<li class="{state}"><span class="name">{name}</span>
{middle}
<span class="time">{time}</span> <span class="outcome">{outcome}</span>{said}</li>""")
BAR = Markup('<span class="track"><i style="left:{:.2f}%;width:{:.2f}%"></i></span>')
FILE = Markup("""\
<tr><th scope="row"><code>{name}</code></th><td data-label="Size">{size}</td>
<td data-label="SHA-256"><span class="copied"><code class="hash">{sha256}</code>{copy}</span></td>{places}</tr>""")
FILES = Markup("""\
<table class="files"><thead><tr><th>File</th><th>Size</th><th>SHA-256</th>{}</tr></thead>
<tbody>
{}
</tbody></table>""")
COMPARED = Markup("""\
<table class="compared"><thead><tr><th>Field</th><th>The job's token</th><th>Registered</th><th></th></tr></thead>
<tbody>
{}
</tbody></table>""")
COMPARED_ROW = Markup("""\
<tr class="{}"><th scope="row">{}</th><td data-label="The job's token"><code>{}</code></td>
<td data-label="Registered"><code>{}</code></td><td class="outcome">{}</td></tr>""")
VALUE = Markup('<dt>{}</dt><dd class="copied"><code>{}</code>{}</dd>')
FORM = Markup("""\
<div class="card"><h3>{name}</h3>
<p><a href="{link}" rel="noreferrer">{link}</a></p>
<dl>
{values}
</dl></div>""")


def page(report: Report) -> str:
    """Return the report as HTML."""
    style, script = (files(__package__).joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    sections = [
        ("timeline", "Timeline", _timeline(report)),
        ("files", "Uploads", _flow(report) + _files(report)),
        ("publishers", "The job's token and the publisher", _compared(report)),
        (
            "register",
            "Values to register",
            _lines(_form(facts.title(report, each), each) for each in report.publishers),
        ),
        ("notes", "Notes", _notes(report)),
    ]
    return PAGE.format(
        digest=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        name=report.name,
        tag=report.tag,
        outcome="passed" if report.passed else "failed",
        verdict=report.verdict,
        commit=report.commit,
        began=report.began.replace("T", " ").replace("+00:00", " UTC"),
        seconds=facts.seconds(report),
        sections=_lines(SECTION.format(name, title, body) for name, title, body in sections if body),
        version=version("tagship"),
        style=Markup(style),
        script=Markup(script),
    )


def _lines(parts: Iterable[Markup]) -> Markup:
    return Markup("\n").join(parts)


def _class(text: str) -> str:
    return text.replace(" ", "-")


def _copy(value: str) -> Markup:
    return Markup('<button type="button" data-copy="{}" hidden>copy</button>').format(value)


def _timeline(report: Report) -> Markup:
    whole = facts.seconds(report)
    steps = Markup('<ol class="steps">\n{}\n</ol>').format(_lines(_step(step, whole or 1) for step in report.steps))
    waited = sum(step.seconds for step in report.steps) < 0.9 * whole
    return steps + Markup('\n<p class="facts">In the gaps, the release tools are installed.</p>' if waited else "")


def _step(step: Step, whole: float) -> Markup:
    said, ran = "\n".join(step.said), step.outcome in {"passed", "failed"}
    bar = BAR.format(100 * step.began / whole, 100 * step.seconds / whole)
    return STEP.format(
        state=_class(step.outcome),
        name=step.name,
        middle=bar if ran else Markup('<span class="why">{}</span>').format(said),
        time=f"{step.seconds:.1f} s" if ran else "",
        outcome=step.outcome,
        said=Markup("<pre>{}</pre>").format(said) if ran and said else "",
    )


def _flow(report: Report) -> Markup:
    """Return the places that the files pass, from the build to the indexes."""
    item = Markup('<li class="{}"><b>{}</b> <span>{}</span></li>')
    shown = (item.format(_class(outcome), what, how) for what, how, outcome in facts.stations(report))
    return Markup('<ol class="flow">\n{}\n</ol>\n').format(_lines(shown))


def _files(report: Report) -> Markup:
    if not report.bundle:
        return Markup("<p>verify-version passed nothing on, so nothing was uploaded.</p>")
    heads = Markup("").join(Markup("<th>{}</th>").format(name) for name in facts.NAMES.values())
    return FILES.format(heads, _lines(_file(report, file) for file in report.bundle))


def _file(report: Report, file: File) -> Markup:
    cell = Markup('<td data-label="{}" class="outcome {}">{}</td>')
    there = {name: facts.at(report, file, index) for index, name in facts.NAMES.items()}
    places = Markup("").join(cell.format(name, _class(found), found) for name, found in there.items())
    shown = {"size": facts.size(file), "copy": _copy(file.sha256), "places": places}
    return FILE.format(name=file.name, sha256=file.sha256, **shown)


def _compared(report: Report) -> Markup:
    return _lines(_token(facts.title(report, each), each) for each in report.publishers if each.compared)


def _token(title: str, publisher: Publisher) -> Markup:
    rows = (
        COMPARED_ROW.format("" if same else "differs", label, token, registered, "✓ same" if same else "≠ differs")
        for label, token, registered, same in facts.compared(publisher)
    )
    differences = (Markup('<p class="difference">{}</p>').format(each) for each in publisher.differences)
    other = ", ".join(f"{name} {value}" for name, value in facts.uncompared(publisher).items())
    uncompared = Markup('<p class="facts">Not compared: {}</p>').format(other) if other else ""
    heading = Markup("<h3>{}</h3>").format(title)
    return _lines([heading, *differences, COMPARED.format(_lines(rows)), Markup(uncompared)])


def _forms(report: Report) -> Markup:
    return _lines(_form(facts.title(report, each), each) for each in report.publishers)


def _form(title: str, publisher: Publisher) -> Markup:
    values = (VALUE.format(label, value, _copy(value)) for label, value in facts.values(publisher).items())
    return FORM.format(name=title, link=publisher.link, values=_lines(values))


def _notes(report: Report) -> Markup:
    notes = _lines(Markup("<li>{}</li>").format(note) for note in report.notes)
    return Markup("<ul>\n{}\n</ul>").format(notes) if notes else notes
