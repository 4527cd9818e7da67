"""No output or file of a run contains a secret, whatever its source and the index's answers."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlsplit

import pytest

import tagship_suite.redact as redact
import tagship_suite.report as report
from tagship.publisher import Registration
from tagship.rehearsal.faults import Fault
from tagship.rehearsal.push import TagPush
from tagship.rehearsal.servers import running
from tests.conftest import try_release
from tests.servers import Pypiserver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TAG = {"GITHUB_REF_TYPE": "tag", "GITHUB_REF_NAME": "v1.0"}
PUSH = TagPush(owner="Octo", repository="ship", tag="v1.0", sha="a" * 40)
#: What every canary holds, long enough for a console to break it.
CANARY = "CANARY-" + "0123456789abcdef" * 6
KEYRING = f"""
from keyring.backend import KeyringBackend

class Keyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        return "{CANARY}-keyring"

    def set_password(self, service, username, password):
        raise OSError
"""
#: An index's API token, and a JSON Web Token.
SHAPES = re.compile(r"pypi-[\w-]{50,}|eyJ[\w-]{8,}")


class Parrot(BaseHTTPRequestHandler):
    """An index that has nothing, and answers an upload with all that it was sent: once with 500, then with 403."""

    uploads = 0

    def do_GET(self) -> None:
        self.send_error(404)

    def do_POST(self) -> None:
        Parrot.uploads += 1
        self.rfile.read(int(self.headers["Content-Length"]))
        sent = self.headers.get("Authorization", "")
        plain = base64.b64decode(sent.partition(" ")[2]).decode()
        body = f"{self.requestline}\n{self.headers}\n{plain}\n".encode()
        self.send_response(500 if Parrot.uploads == 1 else 403, f"no: {sent} is {plain}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def parrot() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Parrot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        Parrot.uploads = 0
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def planted(tmp_path: Path) -> dict[str, str]:
    """Variables that lead to a canary in every place that others than twine read, and to files for GitHub."""
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text(f"default login me password {CANARY}-netrc\n")
    (home / ".netrc").chmod(0o600)
    address = f"https://me:{CANARY}-{{}}@index.invalid/simple/"
    indexes = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX")
    return {
        **TAG,
        **{name: address.format(name) for name in indexes},
        "UV_INDEX_MINE_PASSWORD": f"{CANARY}-uv",
        "UV_PUBLISH_TOKEN": f"{CANARY}-uv-publish",
        "GITHUB_TOKEN": f"{CANARY}-github",
        "HOME": str(home),
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }


def sources(url: str, planted: dict[str, str], folder: Path) -> dict[str, dict[str, str]]:
    """Return the variables by which twine finds a password for the index at `url`, by where the password is."""
    mine = f"[mine]\nrepository = {url}\nusername = me\npassword = {CANARY}-pypirc\n"
    Path(planted["HOME"], ".pypirc").write_text(f"[distutils]\nindex-servers = mine\n{mine}")
    (folder / "canary_keyring.py").write_text(KEYRING)
    keyring = {"PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": "canary_keyring.Keyring"}
    with_user = url.replace("://", f"://me:{CANARY}-url@")
    return {
        "TWINE_PASSWORD": {
            "TWINE_REPOSITORY_URL": url,
            "TWINE_USERNAME": "me",
            "TWINE_PASSWORD": f"{CANARY}-env",
        },
        ".pypirc": {"TWINE_REPOSITORY": "mine"},
        "the keyring": {"TWINE_REPOSITORY_URL": url, "TWINE_USERNAME": "me", **keyring},
        "the address": {"TWINE_REPOSITORY_URL": with_user, "TWINE_USERNAME": "me", "TWINE_PASSWORD": f"{CANARY}-env"},
    }


def publish(bundle: Path, planted: dict[str, str], *options: str, **env: str) -> tuple[int, str]:
    """Return the exit status, and all that was printed and written; fail where a secret is in it."""
    done = try_release(bundle, "publish", "pypi", *options, **{**planted, **env})
    written = [Path(planted[name]) for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")]
    text = "\n".join([done.stdout, *(path.read_text() for path in written if path.exists())])
    # A console breaks long lines, and pads them.
    packed = re.sub(r"\s|\x1b\[[0-9;]*m", "", text)
    assert "CANARY" not in packed
    assert base64.b64encode(b"me:CANARY").decode()[:10] not in packed
    assert not SHAPES.search(packed)
    assert planted.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", CANARY) not in packed
    return done.returncode, text


@pytest.mark.slow
@pytest.mark.parametrize("source", ["TWINE_PASSWORD", ".pypirc", "the keyring", "the address"])
@pytest.mark.parametrize("options", [(), ("--verbose",)])
def test_an_index_that_repeats_the_password_does_not_make_it_known(
    bundle: Path, planted: dict[str, str], tmp_path: Path, source: str, options: tuple[str, ...]
) -> None:
    with parrot() as url:
        for _ in range(2):
            status, text = publish(bundle, planted, *options, **sources(url, planted, tmp_path)[source])
            assert status == 1
            assert redact.REDACTED in text
        assert Parrot.uploads >= 2


@pytest.mark.slow
@pytest.mark.parametrize("source", ["TWINE_PASSWORD", ".pypirc", "the keyring", "the address"])
def test_neither_a_successful_nor_a_refused_release_prints_a_password(
    bundle: Path, planted: dict[str, str], tmp_path: Path, source: str
) -> None:
    with Pypiserver(tmp_path / "index", authenticate=[]) as server:
        status, text = publish(bundle, planted, "--verbose", **sources(server.url, planted, tmp_path)[source])
        assert status == 0, text
        (server.folder / "ship-1.0.tar.gz").write_bytes(b"other")
        status, text = publish(bundle, planted, **sources(server.url, planted, tmp_path)[source])
        assert status == 1
        assert urlsplit(server.url).netloc in text
    dead = sources("http://127.0.0.1:9/", planted, tmp_path)[source]
    assert publish(bundle, planted, "--verbose", **dead)[0] == 1


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--verbose",)])
@pytest.mark.parametrize("failure", [None, Fault.EXPIRED_TOKEN, Fault.UPLOAD_503, "unregistered"])
def test_trusted_publishing_prints_no_token(
    bundle: Path, planted: dict[str, str], tmp_path: Path, failure: Fault | str | None, options: tuple[str, ...]
) -> None:
    with running(tmp_path / "state") as servers:
        if failure != "unregistered":
            servers.index.register(Registration("ship", "Octo", "ship", "release.yml", "pypi", PUSH.owner_id))
        if isinstance(failure, Fault):
            servers.faults.tell(failure, times=1)
        job = {**servers.job(PUSH, "pypi"), **planted}
        for _ in range(2):
            status, text = publish(bundle, job, "--no-attestations", *options)
            assert "Traceback" not in text
        assert (status == 1) == (failure == "unregistered"), text
        assert servers.index.mints()


def test_secrets_are_struck_out_of_a_traceback_too(bundle: Path) -> None:
    cli = bundle / ".github/release/tagship_suite/__main__.py"
    code = cli.read_text()
    cli.write_text(
        code.replace(
            "    from .publish.run import",
            "    raise ValueError(os.environ['TWINE_PASSWORD'])\n    from .publish.run import",
        )
    )
    done = try_release(bundle, "publish", "pypi", **TAG, TWINE_PASSWORD=CANARY)
    assert done.returncode == 1
    assert "ValueError: ***" in done.stdout
    assert "CANARY" not in done.stdout


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "https://me:pass@example.org/x and http://you@example.org",
            "https://***@example.org/x and http://***@example.org",
        ),
        ("git@github.com:o/r a@b.c", "git@github.com:o/r a@b.c"),
        ("pypi-publisher-of-things-1.0.tar.gz", "pypi-publisher-of-things-1.0.tar.gz"),
        (f"token pypi-{'Ab_-' * 20}.", "token ***."),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln-_", "***"),
        ("hunter2hunter2", "***"),
        ("hunter2\n      hunter2", "***"),
        ("Basic bWU6aHVudGVyMmh1bnRlcjI=", "***"),
        ("p%40ssword p@ssword", "*** ***"),
        ("short, 'short' shorter", "***, '***' shorter"),
        ("a b1 c", "a b1 c"),
    ],
)
def test_what_is_struck_out(text: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_known", set())
    redact.register("Basic bWU6aHVudGVyMmh1bnRlcjI=")
    redact.register_environ(
        {"A_TOKEN": "short", "B_TOKEN": "b1", "INDEX": "https://me:p%40ssword@example.org/", "OTHER": "and"}
    )
    assert redact.redacted(text) == expected


#: It looks different in each of the encodings.
ODD = """p%0A|`w"o'rd\\ & <é\tn>"""


@pytest.mark.parametrize(
    "encode",
    [
        repr,
        ascii,
        json.dumps,
        html.escape,
        quote,
        quote_plus,
        lambda text: quote(text, safe=""),
        lambda text: text.replace("%", "%25").replace("\n", "%0A"),
        lambda text: " ".join(text.split()),
        lambda text: re.sub("(.{5})", r"\1\n   ", text),
    ],
)
def test_a_secret_is_redacted_however_it_is_written(
    encode: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_known", set())
    redact.register(ODD)
    assert re.fullmatch(r"before [\"']?\*\*\*[\"']? after", redact.redacted(f"before {encode(ODD)} after"))


@pytest.mark.parametrize("value", ["", " ", "x", "Bearer x", "Basic eDp4", "Basic !", "x" * 100_000])
def test_a_variable_that_holds_no_real_secret_stops_nothing(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact, "_known", set())
    redact.register_environ({"A_TOKEN": value})
    assert redact.redacted("a b x-y") == "a b x-y"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "__token__:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_secret_is_redacted_amid_what_is_encoded_as_base64(
    before: str, encode: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redact, "_known", set())
    redact.register("hunter2?~hunter2")
    shown = redact.redacted(encode(f"{before}hunter2?~hunter2 after".encode()).decode())
    left = shown.replace(redact.REDACTED, "")
    assert len(left) <= len(base64.b64encode(f"{before} after".encode())) + 4


def test_annotations_summaries_tables_and_outputs_are_redacted_before_they_are_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(redact, "_known", set())
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    redact.register(ODD)
    with redact.redacting():
        report.errors([f"the index said {ODD}"])
        report.summary(report.table(("file", "says"), [(ODD, f"a {ODD} b")]))
        report.output("name", ODD)
        print(report.one_line(ODD))
    told = capsys.readouterr()
    written = [path.read_text() for path in (tmp_path / "summary", tmp_path / "output")]
    assert "::error::the index said ***\n" in told.out
    for text in (told.out, told.err, *written):
        assert redact.REDACTED in text
        assert "w" not in text.replace("was", "")
        assert "rd" not in text


@pytest.mark.parametrize(
    ("password", "remedy"), [("abc", "use a longer one"), ("x" * 10**7, "check where it comes from")]
)
def test_a_password_that_cannot_be_redacted_is_refused_within_seconds(
    bundle: Path, planted: dict[str, str], password: str, remedy: str
) -> None:
    with parrot() as url:
        mine = f"[mine]\nrepository = {url}\nusername = me\npassword = {password}\n"
        Path(planted["HOME"], ".pypirc").write_text(f"[distutils]\nindex-servers = mine\n{mine}")
        began = time.monotonic()
        status, text = publish(bundle, planted, TWINE_REPOSITORY="mine")
        assert time.monotonic() - began < 20
        assert Parrot.uploads == 0
    assert status == 1
    assert f"the password or token: found {len(password)} characters, expected 4 to 16384" in text
    assert remedy in text


def test_a_token_of_ten_megabytes_is_refused_within_seconds(
    bundle: Path, planted: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = SimpleNamespace(token_urlsafe=lambda _: "x" * 10**7)
    monkeypatch.setattr("tagship.rehearsal.index.minting.secrets", long)
    with running(tmp_path / "state") as servers:
        servers.index.register(Registration("ship", "Octo", "ship", "release.yml", "pypi", PUSH.owner_id))
        began = time.monotonic()
        status, text = publish(bundle, {**servers.job(PUSH, "pypi"), **planted}, "--no-attestations")
        assert time.monotonic() - began < 20
        assert servers.index.uploads() == []
    assert status == 1
    assert "the password or token: found 10000005 characters" in text


def test_what_a_terminal_cannot_encode_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    with redact.redacting():
        print("Łukasz \udce9", flush=True)
    assert written.getvalue() == b"\\u0141ukasz \\udce9\n"
