"""`landkeeper serve`: the report on loopback, as fresh as the store."""

from __future__ import annotations

import webbrowser
from typing import TYPE_CHECKING, Any

import click

from landkeeper.cli.exit_codes import DONE
from landkeeper.cli.report import report_options
from landkeeper.cli.terminal import aside, say
from landkeeper.org import UsageError

if TYPE_CHECKING:
    from landkeeper.cli.report_server import ReportServer, Snapshots

USUAL_PORT = 8470


@click.command(name="serve")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N",
    help=f"The port, or 0 for any free port.  [default: {USUAL_PORT}, or a free port if that is in use]",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@report_options
def command(*, port: int | None, opens: bool, **stores: Any) -> int:
    """Serve the report on localhost, with live data, until Ctrl-C."""
    from landkeeper.cli.report_server import Snapshots
    from landkeeper.cli.run.report import report_settings
    from landkeeper.wiring.report import read_page, read_report

    settings = report_settings(**stores)
    snapshots = Snapshots(lambda: read_report(settings), read_page(), _say)
    with _listen(port, snapshots) as server:
        say(f"{server.url}  (Ctrl-C to stop)")
        if opens:
            webbrowser.open(server.url)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("")
    return DONE


def _listen(port: int | None, snapshots: Snapshots) -> ReportServer:
    from landkeeper.cli.report_server import ReportServer

    try:
        return ReportServer(USUAL_PORT if port is None else port, snapshots)
    except OSError as error:
        if port is not None:
            raise UsageError(f"--port {port} cannot be used: {error.strerror}") from error
        return ReportServer(0, snapshots)


def _say(sentence: str) -> None:
    aside(sentence, "red")
