"""From botocore's exceptions to `Failure`, the value that the rest of the house works with."""

from __future__ import annotations

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's own name for it
    ConnectTimeoutError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from landkeeper.org import Failure, FailureReason, UsageError

CALL_ERRORS = (ClientError, BotoCoreError, ResponseParserError)
"""What a call can raise. The last is what a cut or foreign answer becomes; botocore keeps it apart from its others."""

STRANGE_ANSWERS = (LookupError, TypeError, ValueError, AttributeError, OverflowError, UsageError)
"""What reading an answer can raise that leaves out what AWS always sends, or has something else in its place.

UsageError is what `parse_account_id` and `parse_region` raise."""

# Codes as the services' API references and the EC2 guide's "Error codes" page list them.
_BY_CODE = {
    # EC2 is asked with credentials that STS has just accepted: what it cannot validate then is a region that the
    # account has not enabled (EC2 guide, "Error codes"; Account Management guide, "Enable or disable Regions").
    "AuthFailure": FailureReason.REGION_DISABLED,
    "UnauthorizedOperation": FailureReason.MISSING_PERMISSION,
    "AccessDenied": FailureReason.MISSING_PERMISSION,
    "AccessDeniedException": FailureReason.MISSING_PERMISSION,
    "AuthorizationError": FailureReason.MISSING_PERMISSION,
    "AccountProblem": FailureReason.ACCOUNT_SUSPENDED,
    "Blocked": FailureReason.ACCOUNT_SUSPENDED,
    "PendingVerification": FailureReason.ACCOUNT_SUSPENDED,
    "OptInRequired": FailureReason.REGION_DISABLED,
    "RegionDisabledException": FailureReason.REGION_DISABLED,
    "InvalidClientTokenId": FailureReason.CREDENTIALS,
    "UnrecognizedClientException": FailureReason.CREDENTIALS,
    "SignatureDoesNotMatch": FailureReason.CREDENTIALS,
    "ExpiredToken": FailureReason.CREDENTIALS,
    "ExpiredTokenException": FailureReason.CREDENTIALS,
    "RequestExpired": FailureReason.CREDENTIALS,
    "RequestLimitExceeded": FailureReason.THROTTLED,
    "Throttling": FailureReason.THROTTLED,
    "ThrottlingException": FailureReason.THROTTLED,
    "ThrottledException": FailureReason.THROTTLED,
    "TooManyRequestsException": FailureReason.THROTTLED,
    "ProvisionedThroughputExceededException": FailureReason.THROTTLED,
    "RequestThrottled": FailureReason.THROTTLED,
    "RequestThrottledException": FailureReason.THROTTLED,
    "EC2ThrottledException": FailureReason.THROTTLED,
    "RequestTimeout": FailureReason.TIMED_OUT,
    "RequestTimeoutException": FailureReason.TIMED_OUT,
    "SlowDown": FailureReason.THROTTLED,
    "NoSuchKey": FailureReason.NOT_FOUND,
    "NoSuchBucket": FailureReason.NOT_FOUND,
    "NotFound": FailureReason.NOT_FOUND,
    "NotFoundException": FailureReason.NOT_FOUND,
    "ResourceNotFoundException": FailureReason.NOT_FOUND,
    "ParameterNotFound": FailureReason.NOT_FOUND,
    "AWSOrganizationsNotInUseException": FailureReason.NOT_FOUND,
    "AccountNotFoundException": FailureReason.NOT_FOUND,
    "TrailNotFoundException": FailureReason.NOT_FOUND,
}

_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)


def strange_answer(service: str, error: Exception) -> Failure:
    """The Failure of an answer that is not as documented."""
    return Failure(FailureReason.OTHER, "StrangeAnswer", f"the answer of {service} is not as documented: {error!r}")


def empty_answer(service: str, nouns: str) -> Failure:
    """The Failure of a list that is empty, although in AWS it never is."""
    return Failure(FailureReason.OTHER, "EmptyAnswer", f"{service} lists no {nouns}, and there always are some")


def failure_of(error: ClientError | BotoCoreError | ResponseParserError) -> Failure:
    """The error as a value: reason, AWS's code, and its message on one line."""
    if isinstance(error, ClientError):
        return _refused(error)
    message = " ".join(str(error).split())
    name = type(error).__name__
    if isinstance(error, _NO_CREDENTIALS):
        return Failure(FailureReason.CREDENTIALS, name, message)
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError | ConnectionError):
        return Failure(FailureReason.TIMED_OUT, name, message)
    return Failure(FailureReason.OTHER, name, message)


def _refused(error: ClientError) -> Failure:
    body = error.response.get("Error", {})
    code = str(body.get("Code", ""))
    message = " ".join(str(body.get("Message", "")).split())
    reason = _BY_CODE.get(code, FailureReason.OTHER)
    if code.endswith(".NotFound"):
        reason = FailureReason.NOT_FOUND
    # IAM guide, "Troubleshoot access denied error messages": the sentence names the kind of policy that denied.
    if reason is FailureReason.MISSING_PERMISSION and "service control policy" in message:
        reason = FailureReason.SCP_DENY
    return Failure(reason, code, message)
