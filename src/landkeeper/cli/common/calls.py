"""AWS calls as they are made, on stderr: service, operation and host, and nothing of what is in them."""

from __future__ import annotations

import logging
from typing import Any

from landkeeper.cli.terminal import aside

_LOGGER = "botocore.endpoint"
"""Says at the level DEBUG which operation it is about to send, with the model of it and the request."""


class _Calls(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print a call. Its parameters and headers, which may hold secrets, are left out."""
        given: Any = record.args if isinstance(record.args, tuple) else ()
        if len(given) == 2 and hasattr(given[0], "service_model") and isinstance(given[1], dict):
            operation, request = given
            host = str(request.get("url", "")).partition("//")[2].partition("/")[0]
            aside(f"AWS call: {operation.service_model.service_name} {operation.name} {host}".rstrip(), "dim")


def print_aws_calls() -> None:
    """Print each call from now on, once."""
    logger = logging.getLogger(_LOGGER)
    if not any(isinstance(handler, _Calls) for handler in logger.handlers):
        logger.addHandler(_Calls(logging.DEBUG))
        logger.setLevel(logging.DEBUG)
        logger.propagate = False


def forget_aws_calls() -> None:
    """Print none of them any more."""
    logger = logging.getLogger(_LOGGER)
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Calls)]:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
        logger.propagate = True
