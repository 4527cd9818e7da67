"""The indexes and their host names, which are in no other module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

#: Those of twine, by which it knows the two indexes. Importing it takes longer than most commands.
DEFAULT_REPOSITORY, TEST_REPOSITORY = "https://upload.pypi.org/legacy/", "https://test.pypi.org/legacy/"


@dataclass(frozen=True)
class PackageIndex:
    """An index: its name (also the audience of its tokens), its upload URL and its hosts."""

    name: str
    upload_url: str
    site: str
    files: str
    retired: frozenset[str] = frozenset()
    """Old hosts that redirect to the site; `twine upload --skip-existing` still uses one."""

    @property
    def upload_host(self) -> str:
        """The host for uploads, for the audience, and for minting tokens."""
        return _host(self.upload_url)

    @property
    def hosts(self) -> frozenset[str]:
        """All hosts of this index."""
        return frozenset({self.upload_host, self.site, self.files}) | self.retired

    @property
    def simple_url(self) -> str:
        """The URL for `pip install --index-url`."""
        return f"https://{self.site}/simple/"


def _host(url: str) -> str:
    return urlsplit(url).hostname or ""


_SITE = _host(DEFAULT_REPOSITORY).removeprefix("upload.")

# The hosts of files are those that the indexes' pages link to.
INDEXES: Final = {
    index.name: index
    for index in (
        PackageIndex(
            name="pypi",
            upload_url=DEFAULT_REPOSITORY,
            site=_SITE,
            files="files.pythonhosted.org",
            retired=frozenset({_SITE.replace("pypi.", "pypi.python.")}),
        ),
        PackageIndex(
            name="testpypi",
            upload_url=TEST_REPOSITORY,
            site=_host(TEST_REPOSITORY),
            files="test-files.pythonhosted.org",
        ),
    )
}


def index_of(host: str) -> PackageIndex | None:
    """Return the index with this host name (a port is ignored), or None."""
    name = host.partition(":")[0].lower()
    return next((index for index in INDEXES.values() if name in index.hosts), None)
