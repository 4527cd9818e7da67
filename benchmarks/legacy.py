"""How many facts about real repositories are right, unknown or wrong: `python -m benchmarks.legacy CLONES TRUTH`.

CLONES is a folder of clones, each called OWNER+NAME, OWNER/NAME or NAME; TRUTH a JSON list with, for each repository,
`repo` (OWNER/NAME), `distributions` (`subdir`, `dist_name`, `expected_version`, `vcs_derived`, `version_source` with
`kind` and `file`, `import_names`) and `publishing` (`file`, `jobs` with `job`, `auth` and `secrets`). Exits with 1
where something is wrong.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagship import fleet
from tagship.facts import report

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKFLOWS = ".github/workflows/"
FACTS = ("distributions", "name", "version", "source kind", "source file", "import names", "publishing", "secrets")
#: Which fact, what comes out (`right`, `unknown`, `wrong`), and what was found and expected.
Result = tuple[str, str, str]


def main() -> int:
    """Print the table, and before it every fact that is not right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clones", type=Path)
    parser.add_argument("truth", type=Path)
    options = parser.parse_args()
    truth = {place: each for each in json.loads(options.truth.read_text()) if (place := _place(options.clones, each))}
    counts = dict[str, Counter[str]]((fact, Counter()) for fact in FACTS)
    for answer in fleet.ask(report.inspect, truth):
        expected = truth[Path(answer["path"])]
        for fact, result, shown in compare(answer, expected):
            counts[fact][result] += 1
            if result != "right":
                print(f"{expected['repo']}: {fact} {result}: {shown}")
    print(f"{len(truth)} repositories\n{'':15} {'right':>7} {'unknown':>7} {'wrong':>7}")
    for fact, count in counts.items():
        print(f"{fact:15} {count['right']:7} {count['unknown']:7} {count['wrong']:7}")
    return 1 if any(count["wrong"] for count in counts.values()) else 0


def _place(clones: Path, truth: dict[str, Any]) -> Path | None:
    repo = str(truth["repo"])
    names = (repo.replace("/", "+"), repo.replace("/", "__"), repo, repo.partition("/")[2])
    return next((clones / name for name in names if (clones / name).is_dir()), None)


def compare(answer: dict[str, Any], truth: dict[str, Any]) -> Iterator[Result]:
    """Yield how each fact of an `answer` compares with the `truth`."""
    found = {each["path"]: each for each in answer.get("distributions", ())}
    expected = {each["subdir"]: each for each in truth["distributions"]}
    yield _result("distributions", sorted(found), sorted(expected), known=bool(found))
    for place in expected.keys() & found.keys():
        yield from _of_distribution(found[place], expected[place])
    yield from _of_publishing(answer.get("publishing", ()), truth["publishing"])


def _of_distribution(found: dict[str, Any], truth: dict[str, Any]) -> Iterator[Result]:
    yield _result("name", found["name"], truth["dist_name"])
    source = found["version_source"]
    version = None if truth.get("vcs_derived") else truth["expected_version"]
    # Where only tags know the version, null is right if the kind of source says so.
    yield _result("version", found["version"], version, known=version is None or found["version"] is not None)
    yield _result("source kind", source["kind"], truth["version_source"]["kind"], known=bool(source["kind"]))
    yield _result("source file", source["file"], truth["version_source"].get("file"), known=bool(source["file"]))
    yield _result("import names", list(found["import_names"]), truth["import_names"], known=bool(found["import_names"]))


def _of_publishing(found: Any, truth: list[dict[str, Any]]) -> Iterator[Result]:
    jobs = {(file["file"], job["job"]): job for file in truth for job in file["jobs"]}
    # What a person runs by hand, such as a Makefile's target, is found as well, but is no job.
    in_ci = [each for each in found if each["file"].startswith(WORKFLOWS) or (each["file"], each["job"]) in jobs]
    known = {(each["file"], each["job"]): each for each in in_ci}
    for place in sorted(jobs.keys() | known.keys()):
        has, wanted = known.get(place), jobs.get(place)
        if has is None or wanted is None:
            result = "unknown" if has is None else "wrong"
            yield (
                "publishing",
                result,
                f"{place[0]} {place[1]} is {'not found' if has is None else 'no publishing job'}",
            )
            continue
        yield _result("publishing", has["auth"], wanted["auth"], where=place)
        secrets = [name for name in wanted["secrets"] if wanted["auth"] != "oidc"]
        if wanted["auth"] != "oidc":  # with OIDC no secret publishes
            yield _result("secrets", sorted(has["secrets"]), sorted(secrets), where=place)


def _result(fact: str, found: Any, truth: Any, *, known: bool | None = None, where: object = "") -> Result:
    known = found is not None if known is None else known
    result = "right" if found == truth else "wrong" if known else "unknown"
    return fact, result, f"{where or ''} found {found!r}, expected {truth!r}".strip()


if __name__ == "__main__":
    raise SystemExit(main())
