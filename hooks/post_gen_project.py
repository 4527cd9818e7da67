"""Print the next steps: once at the indexes, then for each release."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

# As in `pre_gen_project.py`, which has checked the answers.
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

NEXT_STEPS = """
{project_slug} is ready. Try it:

  cd {project_slug}
  python -m pip install "nox[uv]" invoke  # in a virtual environment
  nox

Before the first release, register the publisher at both indexes:

  https://pypi.org/manage/account/publishing/
  https://test.pypi.org/manage/account/publishing/

{publisher}

Push the project to https://{host}/{github_owner}/{project_slug}, and release it:

  git init -b main && git add -A && git commit -m "First commit"
  git remote add origin https://{host}/{github_owner}/{project_slug}.git
  inv release {first} --push

"Releasing" in README.md has the details, and the settings to change on {site}."""
GITHUB = """\
  PyPI Project Name  {project_slug}
  Owner              {github_owner}
  Repository name    {project_slug}
  Workflow name      release.yml
  Environment name   pypi at PyPI, testpypi at TestPyPI"""
GITLAB = """\
  PyPI Project Name             {project_slug}
  Namespace                     {github_owner}
  Project name                  {project_slug}
  Top-level pipeline file path  .gitlab-ci.yml
  Environment name              pypi at PyPI, testpypi at TestPyPI"""


def next_steps(answers: Mapping[str, str]) -> str:
    """Return the commands to run and the values to enter."""
    site, publisher = ("GitLab", GITLAB) if answers["publish_with"] == "gitlab" else ("GitHub", GITHUB)
    first = (
        "0.1.0" if answers["build_backend"] == "hatch-vcs" else "current"
    )  # there is no version before the first tag
    values = {
        **answers,
        "first": first,
        "site": site,
        "host": f"{site.lower()}.com",
        "publisher": publisher.format_map(answers),
    }
    return NEXT_STEPS.format_map(values)


if __name__ == "__main__":
    for folder in (".gitlab", ".github/workflows"):  # cookiecutter can leave out the files in it, not the folder
        with suppress(OSError):
            Path(folder).rmdir()
    print(next_steps(json.loads(ANSWERS)))
