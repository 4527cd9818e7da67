"""Print the next steps: once at the indexes, then for each release."""

import json
from collections.abc import Mapping

# As in `pre_gen_project.py`, which has checked the answers.
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

NEXT_STEPS = """
{project_slug} is ready. Try it:

  cd {project_slug}
  python -m pip install "nox[uv]"
  nox

Before the first release, register the publisher at both indexes:

  https://pypi.org/manage/account/publishing/
  https://test.pypi.org/manage/account/publishing/

  PyPI Project Name  {project_slug}
  Owner              {github_owner}
  Repository name    {project_slug}
  Workflow name      release.yml
  Environment name   pypi at PyPI, testpypi at TestPyPI

Push the project to https://github.com/{github_owner}/{project_slug}, and release it:

  git init && git add -A && git commit -m "First commit"
  git remote add origin https://github.com/{github_owner}/{project_slug}.git
  python -m pip install invoke
  inv release current --push

"Releasing" in README.md says more, and lists the settings on GitHub that matter."""


def next_steps(answers: Mapping[str, str]) -> str:
    """Return the commands to run and the values to type."""
    return NEXT_STEPS.format_map(answers)


if __name__ == "__main__":
    print(next_steps(json.loads(ANSWERS)))
