"""Answers to CloudFormation about custom resources: a PUT to the address that came with the question."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request

from landkeeper.aws.backoff import Backoff
from landkeeper.org import LandkeeperError

_BACKOFF = Backoff(0.05, attempts=5)
_TIMEOUT_SECONDS = 4.0
_LEAST_SERVER_ERROR = 500


class UnansweredError(LandkeeperError):
    """CloudFormation could not be told, and waits."""


def put_answer(url: str, body: bytes) -> None:
    """Put the answer there, again after a pause where that does not work.

    Raise UnansweredError when it never does, or S3 refuses it, as it does where CloudFormation did not sign the
    address. Redirections are not followed. The address is signed for a PUT without a type of content.
    Source: AWS CloudFormation User Guide, "cfn-response module".
    """
    if not url.startswith(("https://", "http://")):
        raise UnansweredError(f"an answer cannot be put to '{url}'")
    request = urllib.request.Request(url, data=body, headers={"Content-Type": ""}, method="PUT")  # noqa: S310 - checked
    pauses = _BACKOFF.pauses()
    while True:
        try:
            urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()  # noqa: S310 - checked
        except (OSError, http.client.HTTPException) as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < _LEAST_SERVER_ERROR
            if refused or not next(pauses, False):
                raise UnansweredError(f"CloudFormation does not take the answer: {error}") from error
        else:
            return
