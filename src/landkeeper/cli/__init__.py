"""The command. `main` is what a terminal starts: it turns errors into one line and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

import click

from landkeeper.cli.exit_codes import DONE, USAGE
from landkeeper.cli.root import root
from landkeeper.cli.terminal import aside, guarded, shows_styles


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    # A command makes many values and hardly a cycle. Looking for cycles as often as Python does by itself takes a fifth
    # of the time that a list of ten thousand VPCs does.
    gc.set_threshold(20_000, 20, 100)
    # For good: a traceback that LANDKEEPER_DEBUG asks for is printed by the interpreter.
    sys.stderr = guarded(sys.stderr)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command and answer its exit code. Every failure is one line on stderr, never a traceback."""
    before = sys.stderr
    sys.stderr = guarded(before)
    try:
        return _run(arguments)
    finally:
        sys.stderr = before


def _run(arguments: Sequence[str]) -> int:
    try:
        code = root.main(args=list(arguments), prog_name="landkeeper", standalone_mode=False, color=shows_styles())
    except click.ClickException as error:
        return _complain(error.format_message(), USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped", 130)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; without this the interpreter complains once more while it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        from landkeeper.org import LandkeeperError

        if isinstance(error, LandkeeperError):
            return _complain(str(error), USAGE)
        if os.environ.get("LANDKEEPER_DEBUG"):
            raise
        name = type(error).__name__
        return _complain(
            f"internal error, please report it ({name}: {error}); LANDKEEPER_DEBUG=1 prints the traceback", 1
        )
    return code if isinstance(code, int) else DONE


def _complain(sentence: str, code: int) -> int:
    aside(f"landkeeper: {' '.join(sentence.split())}")
    return code
