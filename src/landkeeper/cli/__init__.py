"""The command. `main` is what a terminal starts: it turns errors into one line and an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import click

from landkeeper.cli.exit_codes import CLOSED_PIPE, DONE, FAILED, STOPPED, USAGE
from landkeeper.cli.root import root
from landkeeper.cli.terminal import aside, choices, guarded, shows_styles

_OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG})
"""Numbers of errors that a full or broken disk gives, and no defect."""


def main() -> None:
    """Run the command with the arguments of this process, and exit with its code."""
    # A command makes many values and hardly a cycle. Looking for cycles as often as Python does by itself takes a fifth
    # of the time that a list of ten thousand VPCs does.
    gc.set_threshold(20_000, 20, 100)
    # For good: a traceback that LANDKEEPER_DEBUG asks for is printed by the interpreter.
    sys.stderr = guarded(sys.stderr)
    if sys.stdout is None:  # A shell's `>&-`.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - to the end of the process
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command and answer its exit code. Every failure is one line on stderr, never a traceback."""
    before = sys.stderr
    sys.stderr = guarded(before)
    choices.reset()
    try:
        return _run(arguments)
    finally:
        sys.stderr = before


def _run(arguments: Sequence[str]) -> int:
    try:
        code = _main(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe has seen enough. That is no 0: what was found after that is not told.
        _discard_stdout()
        return CLOSED_PIPE
    except OSError as error:
        if error.errno not in _OF_THE_MACHINE or _is_debug():
            raise
        _discard_stdout()
        where = f"{error.filename}: " if error.filename else "the answer cannot be written: "
        return _complain(f"{where}{error.strerror}", FAILED)
    return code


def _main(arguments: Sequence[str]) -> int:
    stdout = sys.stdout
    try:
        code = root.main(args=list(arguments), prog_name="landkeeper", standalone_mode=False, color=shows_styles())
    except click.ClickException as error:
        return _complain(error.format_message(), USAGE)
    except (click.Abort, KeyboardInterrupt):
        return _complain("stopped", STOPPED)
    except SystemExit:
        # For a closed pipe click wraps both streams, and exits.
        if sys.stdout is stdout:
            raise
        sys.stdout = stdout
        raise BrokenPipeError from None
    except Exception as error:  # noqa: BLE001 - the shell of the command: every failure is one line
        return _fail(error, arguments)
    return code if isinstance(code, int) else DONE


def _fail(error: Exception, arguments: Sequence[str]) -> int:
    """Print what failed on one line, and return the exit code. An error of the machine is raised again."""
    from landkeeper.org import LandkeeperError, UsageError
    from landkeeper.vpctracker.cidr import MalformedBlockError

    if isinstance(error, UsageError | MalformedBlockError):
        return _complain(str(error), USAGE)
    if isinstance(error, LandkeeperError):
        return _complain(f"{error}{_advice(error, arguments)}", FAILED)
    if _is_debug() or (isinstance(error, OSError) and error.errno in _OF_THE_MACHINE):
        raise error
    if "botocore" in sys.modules:
        from landkeeper.aws.failures import CALL_ERRORS, failure_of

        if isinstance(error, CALL_ERRORS):
            return _complain(f"AWS does not answer: {failure_of(error)}{_advice(error, arguments)}", FAILED)
    name = type(error).__name__
    return _complain(f"internal error, please report it ({name}: {error}); --debug prints the traceback", FAILED)


def _is_debug() -> bool:
    return choices.is_debug or bool(os.environ.get("LANDKEEPER_DEBUG"))


def _advice(error: Exception, arguments: Sequence[str]) -> str:
    """Return the end of a sentence that says what to do about credentials, where they are why something failed."""
    if "botocore" not in sys.modules:
        return ""
    from landkeeper.aws.credentials_advice import advise_on

    advice = advise_on(error, _named_profile(arguments))
    return f"; {advice}" if advice else ""


def _named_profile(arguments: Sequence[str]) -> str | None:
    """Return the profile that the arguments name: when a command has failed, its options are gone."""
    for word, following in pairwise([*arguments, ""]):
        option, _, value = word.partition("=")
        if option == "--profile":
            return (value or following) or None
    return None


def _discard_stdout() -> None:
    """Send what is left to write on stdout nowhere, or the interpreter complains once more while it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(sentence: str, code: int) -> int:
    aside(f"landkeeper: {' '.join(sentence.split())}")
    return code
