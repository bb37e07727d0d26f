"""`landkeeper serve`: a page on loopback, for this machine's browsers alone."""

from __future__ import annotations

import gzip
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from benchmarks.landscape import make_report_input
from tests.cli.test_report import document_in
from tests.report.stored import keep_in_file
from tests.waiting import HANG_SECONDS

from landkeeper.cli import run
from landkeeper.cli.report_server import ReportServer, Snapshots
from landkeeper.org import LandkeeperError
from landkeeper.report.document import Document
from landkeeper.report.view import view_report
from landkeeper.wiring.report import read_page

MADE = make_report_input(vpcs=30, accounts=3, cases=2)


@dataclass(slots=True)
class Source:
    """A store that is well until it is told otherwise."""

    document: Document
    error: str = ""
    looks: int = 0
    said: list[str] = field(default_factory=list)

    def read(self) -> Document:
        self.looks += 1
        if self.error:
            raise LandkeeperError(self.error)
        return self.document


@contextmanager
def served(source: Source, fresh_seconds: float = 0.0) -> Iterator[int]:
    """The port that a server of that source listens on."""
    snapshots = Snapshots(source.read, read_page(), source.said.append, fresh_seconds=fresh_seconds)
    with ReportServer(0, snapshots) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(port: int, path: str = "/", method: str = "GET", host: str | None = None, **headers: str) -> Reply:
    """One request, as a browser on this machine makes it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_SECONDS)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers={"Host": host or f"localhost:{port}", **names})
    answer = connection.getresponse()
    reply = Reply(answer.status, dict(answer.getheaders()), answer.read())
    connection.close()
    return reply


@pytest.fixture
def source() -> Source:
    return Source(view_report(MADE))


def test_the_page_and_the_document_are_there_and_nothing_else(source: Source) -> None:
    with served(source) as port:
        page, document = ask(port), ask(port, "/report.json?again")
        other = ask(port, "/etc/passwd")
        assert ask(port, "/", "POST").status == 501
    assert page.status == document.status == 200
    assert document_in(page.body.decode()) == json.loads(document.body)
    assert b'<meta name="landkeeper-serve" content="30">' in page.body
    assert b"connect-src 'self'" in page.body
    assert (other.status, other.body) == (404, b"There is / and /report.json.\n")
    for reply in (page, document, other):
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Content-Security-Policy"].startswith("frame-ancestors 'none'")
        assert reply.headers["Cache-Control"] == "no-cache"
        assert "Access-Control-Allow-Origin" not in reply.headers
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert document.headers["Content-Type"] == "application/json"


def test_what_is_not_new_is_not_sent_again(source: Source) -> None:
    with served(source) as port:
        first = ask(port, "/report.json")
        source.document = replace(source.document, generated_at="2025-10-05T13:00:00Z")
        again = ask(port, "/report.json", If_None_Match=first.headers["ETag"])
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
        source.document = replace(source.document, notices=("Something new.",))
        newer = ask(port, "/report.json", If_None_Match=first.headers["ETag"])
    assert newer.status == 200
    assert json.loads(newer.body)["notices"] == ["Something new."]
    assert json.loads(newer.body)["generated_at"] == "2025-10-05T13:00:00Z"


def test_whoever_takes_it_compressed_gets_it_so(source: Source) -> None:
    with served(source) as port:
        plain, packed = ask(port, "/report.json"), ask(port, "/report.json", Accept_Encoding="gzip, br")
        head = ask(port, "/", "HEAD", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 3
    assert head.body == b""
    assert int(head.headers["Content-Length"]) > 0


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "localhost.evil.example:{port}",
        "localhost",
        "127.0.0.1:1",
        "[::2]:{port}",
    ],
)
def test_another_name_that_points_here_gets_nothing(source: Source, host: str) -> None:
    """Source: OWASP, "DNS rebinding": the browser takes such a name for its own origin, and shows it the answer."""
    with served(source) as port:
        reply = ask(port, host=host.format(port=port))
    assert (reply.status, reply.body) == (421, b"This server answers to localhost only.\n")
    assert source.looks == 0


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_this_machines_own_names_are_answered(source: Source, host: str) -> None:
    with served(source) as port:
        assert ask(port, host=host.format(port=port)).status == 200


def test_only_loopback_listens(source: Source) -> None:
    with served(source) as port, socket.socket() as elsewhere:
        # Who listens on every address would have this one too.
        elsewhere.bind(("127.0.0.2", port))
        assert ask(port).status == 200


def test_many_who_ask_at_once_make_one_look_at_the_store(source: Source) -> None:
    with served(source, fresh_seconds=HANG_SECONDS) as port:
        askers = [threading.Thread(target=ask, args=(port, "/report.json")) for _ in range(8)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    assert source.looks == 1


def test_a_store_that_fails_is_told_once_and_shown_and_then_forgotten(source: Source) -> None:
    with served(source) as port:
        before = ask(port, "/report.json")
        source.error = "the DynamoDB table '<b>' does not answer"
        page, document = ask(port), ask(port, "/report.json", If_None_Match=before.headers["ETag"])
        assert (page.status, document.status) == (503, 503)
        assert b"the DynamoDB table &#x27;&lt;b&gt;&#x27; does not answer" in page.body
        assert json.loads(document.body) == {"error": source.error}
        assert source.said == [source.error]
        source.error = ""
        assert ask(port, "/report.json").status == 200
        source.error = "gone again"
        ask(port)
    assert source.said[1:] == ["gone again"]


def test_a_port_that_is_taken_is_one_line(
    tmp_path: Path, no_aws: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert run(["serve", "--port", str(other.getsockname()[1])]) == 2
    assert "cannot be used: Address already in use" in capsys.readouterr().err
    assert run(["serve", "--port", "70000"]) == 2


@pytest.mark.parametrize("file", ["landkeeper.db", "nix.db"])
def test_the_command_serves_until_it_is_interrupted(tmp_path: Path, no_aws: None, file: str) -> None:
    keep_in_file(tmp_path / "landkeeper.db", MADE)
    command = [sys.executable, "-m", "landkeeper", "serve", "--port", "0", "--file", file]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.endswith("/  (Ctrl-C to stop)\n")
        reply = ask(int(line.partition("localhost:")[2].partition("/")[0]))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 0
    assert out == "\n"
    if file == "nix.db":
        assert reply.status == 503
        assert err.startswith("the file 'nix.db' does not exist")
        assert err.count("\n") == 1
    else:
        assert len(document_in(reply.body.decode())["vpcs"]) == sum(one.is_live for one in MADE.known.vpcs)
        assert err == ""
