"""What to do about credentials that do not work.

Sources: AWS CLI User Guide, "Configuring IAM Identity Center authentication with the AWS CLI" and "Configuration and
credential file settings".
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

import botocore.session
from botocore.session import Session

from landkeeper.aws.failures import CALL_ERRORS, failure_of
from landkeeper.org import Failure, FailureReason, join_some

_SIGN_IN_AGAIN = frozenset({"SSOTokenLoadError", "TokenRetrievalError", "UnauthorizedSSOTokenError"})
_EXPIRED = frozenset({"CredentialRetrievalError", "ExpiredToken", "ExpiredTokenException"})
_PROFILES_NAMED = 8


def advise(failure: Failure, session: Session) -> str:
    """Return what to do about the failure of the session's credentials; empty where AWS's words have to do."""
    profiles: Mapping[str, Mapping[str, Any]] = session.full_config.get("profiles", {})
    return choose_advice(failure, session.profile, profiles)


def advise_on(error: BaseException, profile: str | None) -> str:
    """Return what to do about credentials that do not work, where that is what an error comes from; else nothing.

    They are those of the profile, or without one those that the environment names.
    """
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, CALL_ERRORS):
        cause = cause.__cause__
    failure = None if cause is None else failure_of(cause)
    if failure is None or failure.reason is not FailureReason.CREDENTIALS:
        return ""
    return advise(failure, botocore.session.Session(profile=profile))


def choose_advice(failure: Failure, profile: str | None, profiles: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the advice for a failure with the credentials of that profile, None for no particular one.

    `profiles` are the sections of the AWS configuration.
    """
    if failure.code in _SIGN_IN_AGAIN or (failure.code in _EXPIRED and _signs_in(profile or "default", profiles)):
        return f"run `aws sso login{f' --profile {profile}' if profile else ''}`"
    if failure.code in {"ExpiredToken", "ExpiredTokenException"}:
        return "get new credentials: these are of a session that is over"
    if failure.code == "RequestExpired":
        return "check the clock of this machine, or get new credentials"
    if failure.code == "NoCredentialsError":
        if not profiles:
            return "set up a profile with `aws configure sso` or `aws configure`"
        named = join_some(sorted(profiles), _PROFILES_NAMED)
        return f"name a profile of the AWS configuration with --profile or AWS_PROFILE; there are {named}"
    return ""


def unknown_profile(profile: str, existing: Collection[str]) -> str:
    """Return the sentence about a profile that is not in the AWS configuration."""
    near = difflib.get_close_matches(profile, sorted(existing), n=1)
    meant = f": did you mean '{near[0]}'?" if near else ""
    return f"there is no profile '{profile}' in the AWS configuration{meant}"


def _signs_in(profile: str, profiles: Mapping[str, Mapping[str, Any]]) -> bool:
    """Return whether the profile, or the one that its role is assumed from, signs in at IAM Identity Center."""
    seen: set[str] = set()
    while profile and profile not in seen:
        seen.add(profile)
        section = profiles.get(profile, {})
        if "sso_session" in section or "sso_start_url" in section:
            return True
        profile = str(section.get("source_profile", ""))
    return False
