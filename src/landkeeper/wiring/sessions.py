"""Sessions as the settings have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from landkeeper.aws.sessions import AccountSessions
    from landkeeper.settings import Settings


def home_sessions(settings: Settings, *, profile: str | None = None) -> AccountSessions:
    """Sessions that stay in the account of the credentials at hand, or of a profile.

    In the region of the environment; without one in that of the profile, and only then in Landkeeper's default.
    Raises UsageError for an unknown profile.
    """
    from landkeeper.aws.sessions import open_sessions

    return open_sessions(
        settings.region,
        profile=profile,
        prefer_profile_region=not settings.region_is_given,
        account_seconds=settings.account_seconds,
    )


def member_sessions(settings: Settings) -> AccountSessions:
    """The same, with the settings' role to get into other accounts."""
    from landkeeper.aws.sessions import open_sessions

    return open_sessions(
        settings.region,
        role_name=settings.role_name,
        external_id=settings.external_id,
        prefer_profile_region=not settings.region_is_given,
        account_seconds=settings.account_seconds,
    )
