"""publish and publish-test, to a real pypiserver, as the sessions run them."""

from __future__ import annotations

import base64
import hashlib
import sys
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from twine.utils import DEFAULT_REPOSITORY, TEST_REPOSITORY

import tagship_suite.publish.index as index
from tagship_suite.dists.reading import sha256_of
from tagship_suite.errors import ReleaseError
from tagship_suite.publish.retry import TransientError
from tests.archives import write_release, write_wheel
from tests.conftest import commit, git, release, run, try_release
from tests.servers import Pypiserver

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
FILES = ["ship-1.0-py3-none-any.whl", "ship-1.0.tar.gz"]


def publish(bundle: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return try_release(bundle, "publish", *(arguments or ("pypi",)), **env)


def refusal(bundle: Path, *arguments: str, **env: str) -> str:
    done = publish(bundle, *arguments, **env)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout
    return done.stdout


def test_the_files_are_uploaded_awaited_compared_and_installable(
    bundle: Path, pypiserver: Pypiserver, tmp_path: Path
) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    done = publish(bundle, **TAG, **pypiserver.twine, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(summary))
    assert done.returncode == 0, done.stdout
    assert pypiserver.files() == FILES
    for name in FILES:
        digest = hashlib.sha256((bundle / "dist" / name).read_bytes()).hexdigest()
        assert f"{name}  uploaded  {digest}" in done.stdout
        assert digest in summary.read_text()
    assert output.read_text() == f"url={pypiserver.url}simple/ship/\n"
    target = tmp_path / "target"
    index = f"{pypiserver.url}simple/"
    run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "-i",
        index,
        "--no-deps",
        "--target",
        target,
        "ship==1.0",
        cwd=tmp_path,
    )
    assert (target / "ship/__init__.py").is_file()


@pytest.mark.parametrize(
    ("repository", "url", "words"),
    [
        ("pypi", DEFAULT_REPOSITORY.rstrip("/"), f"legacy', expected {DEFAULT_REPOSITORY!r}; correct it"),
        ("pypi", "https://pypi.org/simple/", f"simple/', expected {DEFAULT_REPOSITORY!r}; correct it"),
        ("pypi", "https://pypi.python.org/pypi", f"pypi', expected {DEFAULT_REPOSITORY!r}; correct it"),
        ("testpypi", "https://test.pypi.org/simple/", f"simple/', expected {TEST_REPOSITORY!r}; correct it"),
        ("testpypi", "https://pypi.org/legacy/", f"legacy/', expected {TEST_REPOSITORY!r}; correct it"),
        ("testpypi", DEFAULT_REPOSITORY, "expected TestPyPI or an index of your own"),
    ],
)
def test_an_address_that_is_nearly_right_is_refused_before_any_network(
    bundle: Path, repository: str, url: str, words: str
) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    said = refusal(bundle, repository, **TAG, **nowhere, TWINE_REPOSITORY_URL=url)
    assert words in said
    assert "no response" not in said


TEST_TOKEN = "pypi-AgENdGVzdC5weXBpLm9yZwIkZm9v"
KEYRING = f"""
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return "{TEST_TOKEN}"

    set_password = delete_password = get_password
"""


@pytest.mark.parametrize(
    ("user", "password", "words"),
    [
        ("me", "pypi-AgEIcHlwaS5vcmc", "TWINE_USERNAME: found 'me', expected '__token__' for an API token"),
        ("__token__", "my password", "TWINE_PASSWORD: found no API token, expected one, which begins with 'pypi-'"),
        ("__token__", '"pypi-AgEIcHlwaS5vcmc"', "TWINE_PASSWORD: found no API token"),
        ("", TEST_TOKEN, "TWINE_PASSWORD: found an API token of test.pypi.org, expected one of pypi.org"),
    ],
)
def test_what_cannot_be_an_api_token_is_refused_before_any_network(
    bundle: Path, user: str, password: str, words: str
) -> None:
    nowhere = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
    said = refusal(bundle, "pypi", **TAG, **nowhere, TWINE_USERNAME=user, TWINE_PASSWORD=password)
    assert words in said
    assert "no response" not in said
    assert password not in said


def test_a_password_in_pypirc_or_the_keyring_that_is_no_api_token_is_refused_by_its_place(
    bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / ".pypirc").write_text("[pypi]\nusername = me\npassword = hunter2!\n")
    said = refusal(bundle, "pypi", **TAG, HOME=str(tmp_path))
    assert "~/.pypirc: found no API token, expected one, which begins with 'pypi-'" in said
    (tmp_path / ".pypirc").unlink()
    (tmp_path / "ring.py").write_text(KEYRING)
    keyring = {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "ring.Keyring", "HOME": str(tmp_path)}
    said = refusal(bundle, "pypi", **TAG, **keyring)
    assert said.startswith("error: the keyring: found an API token of test.pypi.org, expected one of pypi.org")


def test_a_second_run_is_green_and_uploads_nothing(bundle: Path, pypiserver: Pypiserver) -> None:
    assert publish(bundle, **TAG, **pypiserver.twine).returncode == 0
    posts = pypiserver.requests("POST")
    done = publish(bundle, **TAG, **pypiserver.twine)
    assert done.returncode == 0, done.stdout
    assert all(f"{name}: skipped, the index has it with the same SHA-256" in done.stdout for name in FILES)
    assert pypiserver.requests("POST") == posts == 2


def test_a_run_after_half_a_release_uploads_only_the_rest(bundle: Path, pypiserver: Pypiserver) -> None:
    (pypiserver.folder / FILES[0]).write_bytes((bundle / "dist" / FILES[0]).read_bytes())
    done = publish(bundle, **TAG, **pypiserver.twine)
    assert done.returncode == 0, done.stdout
    assert f"{FILES[0]}: skipped" in done.stdout
    assert pypiserver.requests("POST") == 1
    assert pypiserver.files() == FILES


@pytest.mark.parametrize("algorithm", ["sha256", "md5", "off"])
def test_other_bytes_at_the_index_stop_the_release_before_any_upload(
    bundle: Path, tmp_path: Path, algorithm: str
) -> None:
    with Pypiserver(tmp_path / "index", hash_algo=None if algorithm == "off" else algorithm) as server:
        other = write_wheel(server.folder, files={"ship/__init__.py": "other = 1\n"})
        said = refusal(bundle, **TAG, **server.twine)
        ours = hashlib.sha256((bundle / "dist" / FILES[0]).read_bytes()).hexdigest()
        assert f"{FILES[0]} at {server.url}: found SHA-256 {hashlib.sha256(other.read_bytes()).hexdigest()}" in said
        assert f"expected SHA-256 {ours}" in said
        assert server.requests("POST") == 0
        assert server.files() == [FILES[0]]


def test_an_index_that_gives_no_sha256_is_compared_by_the_files_themselves(bundle: Path, tmp_path: Path) -> None:
    with Pypiserver(tmp_path / "index", hash_algo="md5") as server:
        assert publish(bundle, **TAG, **server.twine).returncode == 0
        assert publish(bundle, **TAG, **server.twine).returncode == 0
        assert server.requests("POST") == 2


def test_only_a_tag_is_published(bundle: Path, pypiserver: Pypiserver) -> None:
    for env in ({}, {"GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "v1.0"}):
        said = refusal(bundle, **pypiserver.twine, **env)
        assert "expected a tag such as 'v1.0': only a tag is published" in said
    said = refusal(bundle, **pypiserver.twine, GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v1.1")
    assert "tag 'v1.1': found version '1.1', expected version '1.0'" in said
    assert pypiserver.requests("GET") == 0


def test_the_tag_of_a_local_repository_counts(suite: Path, pypiserver: Pypiserver) -> None:
    (suite / ".gitignore").write_text("bundle\ndist\n__pycache__\n")
    commit(suite)
    write_release(suite / "dist")
    release(suite, "verify")
    assert "publish: found branch 'main'" in refusal(suite, **pypiserver.twine)
    git(suite, "tag", "v1.0")
    assert publish(suite, **pypiserver.twine).returncode == 0
    assert pypiserver.files() == FILES


def test_nothing_to_publish_says_what_to_run(suite: Path) -> None:
    assert "bundle: found nothing to publish" in refusal(suite, **TAG)


def tamper_change(bundle: Path) -> str:
    (bundle / "dist" / FILES[1]).write_bytes(b"changed")
    return f"dist/{FILES[1]}: found SHA-256 {hashlib.sha256(b'changed').hexdigest()}, expected SHA-256"


def tamper_add(bundle: Path) -> str:
    write_wheel(bundle / "dist", version="1.1")
    return "dist/ship-1.1-py3-none-any.whl: found a file, expected no file that SHA256SUMS does not list"


def tamper_remove(bundle: Path) -> str:
    (bundle / "dist" / FILES[0]).unlink()
    return f"dist/{FILES[0]}: found no file"


def tamper_link(bundle: Path) -> str:
    path = bundle / "dist" / FILES[0]
    path.rename(bundle / "elsewhere.whl")
    path.symlink_to(bundle / "elsewhere.whl")
    return f"dist/{FILES[0]}: found a path out of the bundle"


def tamper_code(bundle: Path) -> str:
    (bundle / "noxfile.py").write_text("changed")
    return "noxfile.py: found SHA-256"


def tamper_path(bundle: Path) -> str:
    with (bundle / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  ../secret\n")
    (bundle.parent / "secret").write_text("x")
    return "../secret: found a path out of the bundle"


def tamper_sums(bundle: Path) -> str:
    (bundle / "SHA256SUMS").write_text("")
    return "SHA256SUMS: found no dists"


TAMPERINGS = [tamper_change, tamper_add, tamper_remove, tamper_link, tamper_code, tamper_path, tamper_sums]


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_a_bundle_that_was_touched_is_refused_before_any_network(bundle: Path, tamper: object) -> None:
    assert callable(tamper)
    words = tamper(bundle)
    # Nothing listens at this address: a request would fail with other words.
    assert words in refusal(bundle, **TAG, TWINE_REPOSITORY_URL="http://127.0.0.1:9/")


def test_publish_test_does_not_go_to_pypi(bundle: Path) -> None:
    from twine.utils import DEFAULT_REPOSITORY

    said = refusal(
        bundle, "testpypi", **TAG, TWINE_REPOSITORY_URL=DEFAULT_REPOSITORY, HTTPS_PROXY="http://127.0.0.1:9/"
    )
    assert "publish-test: found" in said


def test_a_wrong_password_and_a_dead_index_are_reported_without_a_traceback(
    bundle: Path, pypiserver: Pypiserver
) -> None:
    assert "the index answered 403 Client Error: Forbidden" in refusal(
        bundle, **TAG, **{**pypiserver.twine, "TWINE_PASSWORD": "wrong"}
    )
    assert pypiserver.files() == []
    said = refusal(bundle, **TAG, **{**pypiserver.twine, "TWINE_REPOSITORY_URL": "http://127.0.0.1:9/"})
    assert "http://127.0.0.1:9/simple/ship/: no response" in said


def test_a_redirect_to_another_index_is_not_an_answer(bundle: Path, tmp_path: Path) -> None:
    with Pypiserver(tmp_path / "other") as other:
        write_wheel(other.folder, files={"ship/__init__.py": "other = 1\n"})
        options = {"disable_fallback": False, "fallback_url": f"{other.url}simple/"}
        with Pypiserver(tmp_path / "index", **options) as server:
            done = publish(bundle, **TAG, **server.twine)
            assert done.returncode == 0, done.stdout
            assert server.files() == FILES


def test_a_bundle_of_another_commit_is_not_published_by_hand(suite: Path, pypiserver: Pypiserver) -> None:
    (suite / ".gitignore").write_text("bundle\ndist\n__pycache__\n")
    commit(suite)
    write_release(suite / "dist")
    release(suite, "verify")
    made = git(suite, "rev-parse", "HEAD")
    commit(suite, "the fix")
    git(suite, "tag", "v1.0")
    assert f"bundle: found dists of commit {made}, expected dists of the commit here" in refusal(
        suite, **pypiserver.twine
    )
    (suite / "tasks.py").write_text("")
    release(suite, "verify")
    assert "with changes, expected dists of the commit here" in refusal(suite, **pypiserver.twine)
    assert pypiserver.files() == []


@pytest.mark.parametrize("name", [".github/twine/__init__.py", ".github/release/extra.py", "dist/sub/x.whl"])
def test_code_that_was_added_to_a_bundle_is_found_and_never_run(bundle: Path, name: str) -> None:
    (bundle / name).parent.mkdir(exist_ok=True)
    (bundle / name).write_text("raise SystemExit('ran')")
    assert f"{name}: found a file, expected no file that SHA256SUMS does not list" in refusal(bundle, **TAG)


def test_a_linked_folder_is_out_of_the_bundle(bundle: Path) -> None:
    (bundle / "dist").rename(bundle.parent / "elsewhere")
    (bundle / "dist").symlink_to(bundle.parent / "elsewhere")
    assert f"dist/{FILES[0]}: found a path out of the bundle" in refusal(bundle, **TAG)


def test_the_list_of_hashes_names_files_of_the_bundle_only(bundle: Path, tmp_path: Path) -> None:
    (outside := tmp_path / "outside").write_text("")
    with (bundle / "SHA256SUMS").open("a") as sums:
        sums.write(f"{hashlib.sha256().hexdigest()}  {outside}\n")
    assert f"{outside}: found a path out of the bundle" in refusal(bundle, **TAG)


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("application/json", '{"files": [{"filename": "a.whl", "url": "a.whl", "hashes": {"sha256": "AB"}}]}'),
        ("text/html", '<a href="a.whl#sha256=AB&amp;size=1">a.whl</a>'),
        ("text/html", '<a href="a.whl#egg=a&amp;sha256=ab&amp;sha256=cd">installers take the first</a>'),
    ],
)
def test_a_hash_may_be_in_capitals(kind: str, page: str) -> None:
    files = index._parsed("https://own.example/simple/a/", kind, page.encode())
    assert files == {"a.whl": index.Remote("https://own.example/simple/a/a.whl", "ab")}


def test_a_registry_may_leave_out_what_it_does_not_know() -> None:
    page = b'{"files": [{"filename": "a.whl", "url": "a.whl", "hashes": null, "upload-time": null}]}'
    files = index._parsed("https://own.example/simple/a/", "application/json", page)
    assert files == {"a.whl": index.Remote("https://own.example/simple/a/a.whl")}


def test_credentials_in_pypirc_are_used_for_asking_too(bundle: Path, tmp_path: Path) -> None:
    with Pypiserver(tmp_path / "index", authenticate=["update", "list", "download"]) as server:
        said = refusal(bundle, **TAG, TWINE_REPOSITORY_URL=server.url)
        assert "the index answered 401 Unauthorized, expected 200 or 404; set TWINE_USERNAME and TWINE_PASSWORD" in said
        home = tmp_path / "home"
        home.mkdir()
        mine = f"[mine]\nrepository = {server.url}\nusername = maintainer\npassword = secret\n"
        (home / ".pypirc").write_text(f"[distutils]\nindex-servers = mine\n{mine}")
        done = publish(bundle, **TAG, TWINE_REPOSITORY="mine", HOME=str(home))
        assert done.returncode == 0, done.stdout
        assert "secret" not in done.stdout
        assert server.files() == FILES


@pytest.mark.parametrize(("name", "meant"), [("pypi", DEFAULT_REPOSITORY), ("testpypi", TEST_REPOSITORY)])
@pytest.mark.parametrize("by", ["the session", "TWINE_REPOSITORY"])
def test_a_pypirc_gives_no_other_address_to_the_names_of_pypi(
    bundle: Path, pypiserver: Pypiserver, tmp_path: Path, name: str, meant: str, by: str
) -> None:
    (tmp_path / ".pypirc").write_text(
        f"[{name}]\nrepository = {pypiserver.url}\nusername = maintainer\npassword = secret\n"
    )
    named = {"TWINE_REPOSITORY": name} if by == "TWINE_REPOSITORY" else {}
    said = refusal(bundle, name, **TAG, HOME=str(tmp_path), **named)
    assert f".pypirc [{name}] repository: found '{pypiserver.url}', expected '{meant}'; remove it" in said
    assert pypiserver.files() == []


def test_a_former_address_of_pypi_in_pypirc_is_named_by_its_place(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / ".pypirc").write_text(
        "[distutils]\nindex-servers = old\n[old]\nrepository = https://pypi.python.org/pypi\n"
    )
    said = refusal(bundle, **TAG, HOME=str(tmp_path), USERPROFILE=str(tmp_path), TWINE_REPOSITORY="old")
    assert f".pypirc [old] repository: found 'https://pypi.python.org/pypi', expected {DEFAULT_REPOSITORY!r}" in said


def test_a_suite_that_is_not_the_one_in_the_bundle_does_not_publish_it(suite: Path, pypiserver: Pypiserver) -> None:
    write_release(suite / "dist")
    release(suite, "verify", **TAG)
    changed = suite / ".github/release/tagship_suite/publish/claims.py"
    changed.write_text(f"{changed.read_text()}# changed by a build\n")
    said = refusal(suite, **TAG, **pypiserver.twine)
    assert f"{changed.resolve()}: found other bytes, expected those of {changed.relative_to(suite)}" in said
    assert pypiserver.files() == []


def test_a_missing_certificate_file_is_reported(bundle: Path) -> None:
    said = refusal(bundle, **TAG, TWINE_REPOSITORY_URL="https://127.0.0.1:9/", TWINE_CERT="/nowhere.pem")
    assert "https://127.0.0.1:9/simple/ship/: no response" in said


def test_an_index_may_have_its_simple_api_at_another_address_than_its_uploads(
    suite: Path, pypiserver: Pypiserver, tmp_path: Path
) -> None:
    closed = {"authenticate": ["update", "list", "download"], "roots": [str(pypiserver.folder)]}
    with Pypiserver(tmp_path / "simple", **closed) as simple:
        (suite / "pyproject.toml").write_text(f'[tool.tagship]\nindex-url = "{simple.url}simple"\n')
        write_release(suite / "dist")
        release(suite, "verify", **TAG)
        bundle = (suite / "bundle").rename(tmp_path / "bundle")
        done = publish(bundle, **TAG, **pypiserver.twine)
        assert done.returncode == 0, done.stdout
        assert f"published: {simple.url}simple/ship/" in done.stdout
        assert publish(bundle, **TAG, **pypiserver.twine).stdout.count(": skipped, ") == 2
        assert simple.requests("POST") == 0
    assert pypiserver.files() == FILES
    assert pypiserver.requests("POST") == 2
    assert pypiserver.requests("GET") == 0


class Answers:
    """An index on loopback that gives fixed answers, by path, and remembers the requests."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.connections: set[object] = set()
        self.url = ""

    def index(self, *other: str) -> index.Index:
        """Return the index with this address for everything, and other addresses of its simple API."""
        return index.Index(self.url, (f"{self.url}simple/", *other), auth=("me", "secret"))


@contextmanager
def answering(protocol: str = "HTTP/1.0") -> Iterator[Answers]:
    answers = Answers()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def do_GET(self) -> None:
            answers.connections.add(self.client_address)
            answers.requests.append((self.path, self.headers["Authorization"]))
            status, headers, body = answers.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    answers.url = f"http://127.0.0.1:{server.server_port}/"
    yield answers
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("scheme", ["file", "ftp"])
@pytest.mark.parametrize("by", ["link", "link with the right hash", "redirect"])
def test_a_link_to_anything_but_http_is_refused_and_never_opened(bundle: Path, scheme: str, by: str) -> None:
    with answering() as answers:
        # Opened, the file would be the one that is expected.
        link = f"{scheme}://{'' if scheme == 'file' else '127.0.0.1:9'}{bundle / 'dist' / FILES[0]}"
        listed = f"{answers.url}{FILES[0]}" if by == "redirect" else link
        listed += f"#sha256={sha256_of(bundle / 'dist' / FILES[0])}" if "hash" in by else ""
        answers.pages[f"/{FILES[0]}"] = (302, {"Location": link}, b"")
        answers.pages["/simple/ship/"] = (200, {"Content-Type": "text/html"}, f'<a href="{listed}">x</a>'.encode())
        said = refusal(
            bundle, **TAG, TWINE_REPOSITORY_URL=answers.url, TWINE_USERNAME="maintainer", TWINE_PASSWORD="secret"
        )
        assert f"{answers.url}: found a link to '{link}', expected one with http or https" in said


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {}, b"<h1>Log in</h1>"), "/simple/, set index-url in [tool.tagship] [not-served]"),
        ((302, {"Location": "/login"}, b""), "attempted to redirect to /login."),
    ],
)
def test_a_registry_that_keeps_nothing_is_no_success(
    bundle: Path, answer: tuple[int, dict[str, str], bytes], words: str
) -> None:
    with answering() as answers:
        answers.pages["/upload/"] = answer
        mine = {
            "TWINE_REPOSITORY_URL": f"{answers.url}upload/",
            "TWINE_USERNAME": "me",
            "TWINE_PASSWORD": "secretsecret",
        }
        said = refusal(bundle, **TAG, **mine, TAGSHIP_TIMEOUT="1")
        assert words in said
        assert "uploaded before this failed" not in said


def test_credentials_go_to_the_hosts_of_the_index_and_to_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("default login other password netrc\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    sent = "Basic " + base64.b64encode(b"me:secret").decode()
    with answering() as own, answering() as other:
        other.pages["/a.whl"] = (200, {}, b"a")
        own.pages["/a.whl"] = (302, {"Location": f"{other.url}a.whl"}, b"")
        digest = hashlib.sha256(b"a").hexdigest()
        assert own.index().sha256(index.Remote(f"{own.url}a.whl")) == digest
        assert own.index().sha256(index.Remote(f"{other.url}a.whl")) == digest
        assert own.index(f"{other.url}simple/").sha256(index.Remote(f"{other.url}a.whl")) == digest
        assert [auth for _, auth in own.requests] == [sent]
        assert [auth for _, auth in other.requests] == [None, None, sent]


def test_all_requests_to_an_index_share_a_connection() -> None:
    with answering("HTTP/1.1") as answers:
        listing = b'{"files": [{"filename": "a.whl", "url": "/a.whl", "provenance": "/provenance"}]}'
        answers.pages["/simple/ship/"] = (200, {"Content-Type": "application/vnd.pypi.simple.v1+json"}, listing)
        answers.pages["/a.whl"] = answers.pages["/provenance"] = (200, {}, b"{}")
        found = answers.index()
        for _ in range(3):
            remote = found.files("ship")["a.whl"]
            assert found.provenance(remote._replace(provenance=f"{answers.url}provenance")) == {}
            assert found.sha256(remote) == hashlib.sha256(b"{}").hexdigest()
        assert (len(answers.requests), len(answers.connections)) == (9, 1)


def test_a_file_is_compared_unchanged_even_if_the_index_calls_it_compressed(bundle: Path) -> None:
    with answering() as answers:
        content = (bundle / "dist" / FILES[1]).read_bytes()
        answers.pages["/a.tar.gz"] = (200, {"Content-Encoding": "gzip"}, content)
        found = answers.index().sha256(index.Remote(f"{answers.url}a.tar.gz"))
        assert found == hashlib.sha256(content).hexdigest()


def test_a_file_that_breaks_off_and_a_busy_index_are_transient_errors() -> None:
    with answering() as answers:
        answers.pages["/a.whl"] = (200, {"Content-Length": "9"}, b"half")
        with pytest.raises(TransientError, match="no response"):
            answers.index().sha256(index.Remote(f"{answers.url}a.whl"))
        answers.pages["/simple/ship/"] = (429, {"Retry-After": "7"}, b"")
        with pytest.raises(TransientError, match="answered 429") as busy:
            answers.index().files("ship")
        assert busy.value.delay == 7


def test_a_listing_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "MAX_LISTING", 1000)
    with answering() as answers:
        answers.pages["/simple/ship/"] = (200, {"Content-Type": "text/html"}, b"<a href=x>" * 101)
        with pytest.raises(ReleaseError, match="larger than 1000 bytes"):
            answers.index().files("ship")


def test_redirects_without_end_mean_that_there_is_nothing() -> None:
    with answering() as answers:
        answers.pages["/simple/ship/"] = (302, {"Location": "/simple/ship/"}, b"")
        assert answers.index().files("ship") == {}
        assert len(answers.requests) == index.MAX_REDIRECTS


def test_a_keyring_that_cannot_be_read_is_one_line(bundle: Path, pypiserver: Pypiserver, tmp_path: Path) -> None:
    broken = KEYRING.replace(f'return "{TEST_TOKEN}"', 'raise RuntimeError("the keyring is locked")')
    (tmp_path / "ring.py").write_text(broken)
    keyring = {"PYTHONPATH": str(tmp_path), "PYTHON_KEYRING_BACKEND": "ring.Keyring"}
    said = refusal(bundle, "pypi", **TAG, **{**pypiserver.twine, "TWINE_PASSWORD": ""}, **keyring)
    assert "Error getting password from keyring: the keyring is locked" in " ".join(said.split())
    assert "[no-credentials]" in said


def test_the_credentials_in_the_address_of_an_index_are_sent() -> None:
    with answering() as answers:
        url = answers.url.replace("://", "://me:secret@")
        index.Index("https://upload.example/", (f"{url}simple/",)).files("ship")
    assert answers.requests == [("/simple/ship/", "Basic bWU6c2VjcmV0")]
