"""The command line: the only part of the package that prints or exits."""

from __future__ import annotations

import click

from tagship.errors import TagshipError


class Group(click.Group):
    """A group whose commands end with one line for each problem, and exit status 1, where the user can mend it."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; what it raises for the user becomes lines on standard error."""
        try:
            return super().invoke(ctx)
        except TagshipError as error:
            for line in error.args:
                click.echo(f"error: {line}", err=True)
            raise SystemExit(1) from None


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tagship", message="%(prog)s %(version)s")
def main() -> None:
    """Push a tag, ship to PyPI."""
