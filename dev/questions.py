"""copier.yml: the questions of cookiecutter.json and the rules of their answers, for copier."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "_min_copier_version": "9.0",
    "_templates_suffix": "",
    "_subdirectory": "{{ '{{cookiecutter.project_slug}}' }}",
    "_message_after_copy": (
        "{{ project_slug }} is ready: run nox in it. README.md says under 'Releasing' what to register at PyPI."
    ),
    "_exclude": [
        "__pycache__",
        "{% if cookiecutter.publish_with == 'gitlab' %}.github/workflows{% else %}.gitlab{% endif %}",
    ],
}
#: The default of project_slug: copier has no `slugify`. It leaves out what is not ASCII.
SLUG = "{{ project_name | lower | regex_replace('[^a-z0-9]+', '-') | regex_replace('^-|-$', '') or 'my-package' }}"


def copier() -> str:
    """Return copier.yml: JSON, which is YAML.

    The choices come first, as the rules of other answers depend on them. The last answer is all of them by the
    name that the template's files use.
    """
    config = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))
    names = sorted(config["__prompts__"], key=lambda name: not isinstance(config[name], list))
    questions = {name: _question(name, config) for name in names}
    written = json.dumps({**SETTINGS, **questions, "cookiecutter": _answers(names)}, indent=2, ensure_ascii=False)
    return f"# For copier; generated from cookiecutter.json and hooks/ by `nox -s sync`.\n{written}\n"


def _question(name: str, config: dict[str, Any]) -> dict[str, Any]:
    prompt, default = config["__prompts__"][name], config[name]
    if isinstance(default, list):
        choices = {prompt.get(choice, choice): choice for choice in default}
        return {"type": "str", "help": prompt["__prompt__"], "choices": choices, "default": default[0]}
    default = SLUG if "slugify" in default else default.replace("cookiecutter.", "")
    return {"type": "str", "help": prompt, "default": default, "validator": _validator(name)}


def _answers(names: list[str]) -> dict[str, Any]:
    values = ", ".join(f"'{name}': {name}" for name in names)
    extra = "'_template': _copier_answers._src_path, '_templates': 'templates/'"
    return {"type": "json", "when": False, "default": "{{ {" + f"{values}, {extra}" + "} | to_json }}"}


def _validator(name: str) -> str:
    """Return a Jinja template that renders what is wrong with an answer, nothing if it is right."""
    hook = _hook()
    always = [(rule, "") for rule in (*hook.TEXT, *hook.RULES[name])]
    if name == "github_owner":
        always += [(hook.ON_GITLAB, "publish_with == 'gitlab'"), (hook.ON_GITHUB, "publish_with != 'gitlab'")]
    sometimes = [
        (rule, f"build_backend == '{backend}'")
        for (backend, question), rules in hook.BACKEND_RULES.items()
        for rule in rules
        if question == name
    ]
    return "".join(_check(name, rule, when) for rule, when in always + sometimes if isinstance(rule.condition, str))


def _check(name: str, rule: Any, when: str) -> str:
    pattern = json.dumps(rf"(?s)\A(?:{rule.condition})\Z")
    broken = f"{name} | regex_search({pattern}) is none"
    condition = f"{when} and {broken}" if when else broken
    return "{% if " + condition + " %}" + f"{rule.otherwise}. {rule.expected} " + "{% endif %}"


def _hook() -> ModuleType:
    """Import the hook by its path, as cookiecutter has not rendered it."""
    spec = importlib.util.spec_from_file_location("pre_gen_project", ROOT / "hooks/pre_gen_project.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
