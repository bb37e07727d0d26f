"""What to do about credentials that do not work."""

from __future__ import annotations

from pathlib import Path

import pytest

from landkeeper.aws.credentials_advice import choose_advice
from landkeeper.aws.sessions import HomeAccountError, open_sessions
from landkeeper.org import Failure, FailureReason, Region, UsageError

_PROFILES = {
    "dev": {"sso_session": "corp"},
    "old": {"sso_start_url": "https://example.awsapps.com/start"},
    "admin": {"role_arn": "arn:aws:iam::111122223333:role/Admin", "source_profile": "dev"},
    "loop": {"source_profile": "pool"},
    "pool": {"source_profile": "loop"},
    "keys": {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE"},
}
_SIGN_IN = "run `aws sso login --profile dev`"
_OVER = "get new credentials: these are of a session that is over"


@pytest.mark.parametrize(
    ("code", "profile", "advice"),
    [
        ("UnauthorizedSSOTokenError", "dev", _SIGN_IN),
        ("SSOTokenLoadError", "dev", _SIGN_IN),
        ("TokenRetrievalError", "dev", _SIGN_IN),
        ("UnauthorizedSSOTokenError", None, "run `aws sso login`"),
        ("ExpiredToken", "dev", _SIGN_IN),
        ("ExpiredTokenException", "old", "run `aws sso login --profile old`"),
        ("ExpiredToken", "admin", "run `aws sso login --profile admin`"),
        ("CredentialRetrievalError", "admin", "run `aws sso login --profile admin`"),
        ("ExpiredToken", "keys", _OVER),
        ("ExpiredToken", "loop", _OVER),
        ("ExpiredToken", None, _OVER),
        ("CredentialRetrievalError", "keys", ""),
        ("RequestExpired", None, "check the clock of this machine, or get new credentials"),
        (
            "NoCredentialsError",
            None,
            (
                "name a profile of the AWS configuration with --profile or AWS_PROFILE; "
                "there are admin, dev, keys, loop, old, pool"
            ),
        ),
        ("AccessDenied", "dev", ""),
    ],
)
def test_the_advice_is_what_gets_that_profile_going(code: str, profile: str | None, advice: str) -> None:
    assert choose_advice(Failure(FailureReason.CREDENTIALS, code), profile, _PROFILES) == advice


def test_without_any_profile_there_is_a_way_to_one() -> None:
    advice = choose_advice(Failure(FailureReason.CREDENTIALS, "NoCredentialsError"), None, {})
    assert advice == "set up a profile with `aws configure sso` or `aws configure`"


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An AWS configuration of its own, and no other credentials."""
    file = tmp_path / "config"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return file


def test_a_profile_that_was_never_signed_in_is_told_to_sign_in(configuration: Path) -> None:
    configuration.write_text(
        "[profile dev]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n"
        "[sso-session corp]\nsso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
    )
    with pytest.raises(HomeAccountError, match=r"; run `aws sso login --profile dev`$"):
        open_sessions(Region("eu-west-1"), profile="dev").home_account()


def test_a_profile_with_half_of_its_settings_is_credentials_that_do_not_work(configuration: Path) -> None:
    configuration.write_text("[profile half]\nsso_start_url = https://example.awsapps.com/start\n")
    with pytest.raises(HomeAccountError, match="the AWS credentials at hand do not work"):
        open_sessions(Region("eu-west-1"), profile="half").home_account()


@pytest.mark.parametrize("given", [True, False], ids=["option", "environment"])
def test_an_unknown_profile_is_named_with_what_may_be_meant(
    configuration: Path, monkeypatch: pytest.MonkeyPatch, given: bool
) -> None:
    configuration.write_text("[profile production]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_PROFILE", "prodution")
    with pytest.raises(UsageError, match=r"no profile 'prodution' in the AWS configuration: did you mean 'production'"):
        open_sessions(Region("eu-west-1"), profile="prodution" if given else None)


def test_a_configuration_that_cannot_be_parsed_is_named(configuration: Path) -> None:
    configuration.write_text("region = eu-west-1\n")
    with pytest.raises(UsageError, match="the AWS configuration cannot be used: "):
        open_sessions(Region("eu-west-1"))
