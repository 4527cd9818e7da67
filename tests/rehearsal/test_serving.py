"""The index answers readers as PyPI does."""

from __future__ import annotations

import hashlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tagship.indexes import INDEXES, index_of
from tests.rehearsal.client import Client
from tests.rehearsal.dists import Dist, sha256

if TYPE_CHECKING:
    from pathlib import Path

    from tagship.rehearsal.servers import Servers

JSON_V1 = "application/vnd.pypi.simple.v1+json"
HTML_V1 = "application/vnd.pypi.simple.v1+html"


@pytest.fixture
def client(registered: Servers, folder: Path) -> Client:
    client = Client(registered)
    dist = Dist(headers=["Requires-Python: >=3.9", "Summary: Small"])
    token = client.mint()
    for path in (dist.write_wheel(folder), dist.write_sdist(folder)):
        assert client.upload(path, token, dist.metadata).status_code == 200
    return client


class Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found.append(dict(attrs))


def test_the_simple_page_links_files_with_their_hashes(client: Client, folder: Path) -> None:
    page = client.get("/simple/tiny/")
    assert page.headers["Content-Type"].startswith("text/html")
    wheel, sdist = Links(page.text).found
    path = folder / "tiny-1.0-py3-none-any.whl"
    href = wheel["href"] or ""
    assert href.startswith("https://files.pythonhosted.org/packages/")
    assert href.endswith(f"/{path.name}#sha256={sha256(path)}")
    assert wheel["data-requires-python"] == ">=3.9"
    metadata = Dist(headers=["Requires-Python: >=3.9", "Summary: Small"]).metadata
    assert wheel["data-core-metadata"] == f"sha256={hashlib.sha256(metadata).hexdigest()}"
    assert "data-core-metadata" not in sdist


def test_files_and_their_metadata_are_served(client: Client, folder: Path) -> None:
    for link in Links(client.get("/simple/tiny/").text).found:
        url = (link["href"] or "").partition("#")[0]
        content = client.session.get(url, timeout=10).content
        assert content == (folder / url.rpartition("/")[2]).read_bytes()
        metadata = client.session.get(f"{url}.metadata", timeout=10)
        assert metadata.status_code == (200 if url.endswith(".whl") else 404)
        if metadata.ok:
            assert metadata.content.startswith(b"Metadata-Version: 2.4\nName: tiny\n")


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (JSON_V1, JSON_V1),
        (HTML_V1, HTML_V1),
        ("text/html", "text/html"),
        ("*/*", "text/html"),
        ("image/png", "text/html"),
        (f"{JSON_V1}, {HTML_V1};q=0.2, text/html;q=0.01", JSON_V1),
        (f"{JSON_V1};q=0.1, text/html;q=0.9", "text/html"),
    ],
)
def test_the_accept_header_chooses_html_or_json(client: Client, accept: str, content_type: str) -> None:
    answer = client.get("/simple/tiny/", headers={"Accept": accept})
    assert answer.headers["Content-Type"].partition(";")[0] == content_type
    assert answer.headers["Vary"] == "Accept"


def test_the_json_page_says_what_pep_700_asks_for(client: Client, folder: Path) -> None:
    page = client.get("/simple/tiny/", headers={"Accept": JSON_V1}).json()
    assert page["name"] == "tiny"
    assert page["versions"] == ["1.0"]
    wheel, sdist = page["files"]
    assert wheel["size"] == (folder / wheel["filename"]).stat().st_size
    assert wheel["upload-time"].endswith("Z")
    assert wheel["hashes"] == {"sha256": sha256(folder / wheel["filename"])}
    assert (wheel["requires-python"], wheel["yanked"]) == (">=3.9", False)
    assert set(wheel["core-metadata"]) == {"sha256"}
    assert sdist["core-metadata"] is False


def test_the_root_lists_the_projects(client: Client) -> None:
    assert Links(client.get("/simple/").text).found == [{"href": "/simple/tiny/"}]
    listed = client.get("/simple/", headers={"Accept": JSON_V1}).json()
    assert listed["projects"] == [{"name": "tiny"}]


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("/simple/Tiny/", "/simple/tiny/"),
        ("/simple/tiny", "/simple/tiny/"),
        ("/pypi/TINY/json", "/pypi/tiny/json"),
        ("/pypi/Tiny/1.0/json", "/pypi/tiny/1.0/json"),
    ],
)
def test_names_that_are_not_normalised_redirect(client: Client, path: str, location: str) -> None:
    answer = client.get(path, allow_redirects=False)
    assert answer.status_code == 301
    assert answer.headers["Location"] == location


@pytest.mark.parametrize(
    "path",
    ["/simple/nothing/", "/pypi/nothing/json", "/pypi/tiny/2.0/json", "/pypi/tiny/x y/json", "/", "/legacy/"],
)
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_json_api_shows_the_latest_release_and_all_files(client: Client) -> None:
    client.servers.index.put_release("tiny", "2.0a1", files={"tiny-2.0a1.tar.gz": b"a"})
    client.servers.index.put_release("tiny", "0.9", files={"tiny-0.9.tar.gz": b"b"})
    page = client.get("/pypi/tiny/json").json()
    info = page["info"]
    assert (info["name"], info["version"], info["summary"]) == ("tiny", "1.0", "Small")
    assert list(page["releases"]) == ["0.9", "1.0", "2.0a1"]
    assert [each["packagetype"] for each in page["urls"]] == ["bdist_wheel", "sdist"]
    assert set(page["urls"][0]["digests"]) == {"md5", "sha256", "blake2b_256"}


def test_the_json_api_shows_one_release_by_an_equal_version(client: Client) -> None:
    page = client.get("/pypi/tiny/1.0.0/json").json()
    assert page["info"]["version"] == "1.0"
    assert "releases" not in page


def test_nothing_may_be_kept_in_a_cache(client: Client) -> None:
    assert client.get("/simple/tiny/").headers["Cache-Control"] == "no-store"


def test_the_two_indexes_do_not_know_each_other(client: Client) -> None:
    assert Client(client.servers, "testpypi").get("/simple/tiny/").status_code == 404


def test_an_upload_address_without_its_slash_redirects(client: Client) -> None:
    url = client.index.upload_url.rstrip("/")
    answer = client.session.post(url, allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (308, "/legacy/")


def test_a_host_that_is_none_of_the_indexes_gets_nothing(client: Client) -> None:
    answer = client.get("/simple/", headers={"Host": "example.org"})
    assert answer.status_code == 421


def test_every_host_belongs_to_one_index() -> None:
    hosts = [host for index in INDEXES.values() for host in index.hosts]
    assert len(hosts) == len(set(hosts))
    assert index_of("Upload.PyPI.org:443") is INDEXES["pypi"]
    assert index_of("test.pypi.org") is INDEXES["testpypi"]
    assert index_of("notpypi.org") is None


@pytest.mark.parametrize(
    ("path", "content_type", "text"),
    [
        ("/simple/nothing/", "text/plain", "404 Not Found"),
        ("/simple/No.Thing/", "text/plain", "404 Not Found"),
        ("/pypi/nothing/json", "application/json", '{"message": "Not Found"}'),
        ("/pypi/nothing/1.0/json/", "application/json", '{"message": "Not Found"}'),
        ("/nothing", "text/html", "<title>404 Not Found</title>"),
    ],
)
def test_not_found_is_answered_in_the_form_that_a_client_expects(
    client: Client, path: str, content_type: str, text: str
) -> None:
    answer = client.get(path, allow_redirects=False)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith(content_type)
    assert text in answer.text
