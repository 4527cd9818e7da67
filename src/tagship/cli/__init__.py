"""The command line: the only part of the package that prints or exits."""

from __future__ import annotations

import click

from tagship.cli import plan, reading, rehearse, settings, suite, verify
from tagship.cli.group import Group


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tagship", message="%(prog)s %(version)s")
def main() -> None:
    """Push a tag, ship to PyPI."""


for command in (
    *(suite.adopt, suite.sync),
    *(reading.inspect, reading.audit),
    *(settings.publisher, settings.doctor),
    plan.plan,
    rehearse.rehearse,
    verify.verify,
):
    main.add_command(command)
