"""One session for every account: clients are shared, the credentials they sign with are swapped per call.

A client costs tens of milliseconds and a third of a megabyte, so there is one per service and region, not one per
account. Which account it signs for is a ContextVar, read at signing time through botocore's public component
`credential_provider`. When no account is set the provider raises: nothing that was meant for a member account can
fall through to the credentials at hand.

Clients are botocore's own: boto3, which makes the same ones, would only take longer to import.
"""

from __future__ import annotations

import platform
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import botocore
import botocore.session
from botocore.config import Config
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ProfileNotFound

from landkeeper import __version__
from landkeeper.aws.assumed_roles import assume_role
from landkeeper.aws.credentials_advice import advise, unknown_profile
from landkeeper.aws.deadlines import Clock, Deadline, deadline_after, do_within, keep_deadlines
from landkeeper.aws.failures import CALL_ERRORS, STRANGE_ANSWERS, failure_of, strange_answer
from landkeeper.org import AccountId, Failure, FailureReason, LandkeeperError, Region, UnavailableError, UsageError

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_sts import STSClient

ACCOUNT_SECONDS = 600.0
"""How long the calls in one account may take altogether, unless whoever opens the sessions says otherwise."""
_IDENTITY_SECONDS = 120.0
_PART_OF_WHAT_IS_LEFT = 0.5
"""How much of the time left one account may take, so that what follows has some too."""
_KEPT_CREDENTIALS = 64
_RENEW_BEFORE = timedelta(minutes=5)
# Of a user, a role's session, or root (IAM User Guide, "IAM identifiers").
_PRINCIPAL = re.compile(r"arn:(?P<partition>aws[a-z-]*):[a-z]+::(?P<account>[0-9]{12}):\S+")
_HASTE = Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2})
_LINKS = Config(signature_version="s3v4")
_ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


T = TypeVar("T")


class NoAccountSetError(LandkeeperError):
    """A call was about to be signed without having said for which account."""


class HomeAccountError(UnavailableError):
    """`sts:GetCallerIdentity` did not answer, so the credentials at hand are of no use."""

    def __init__(self, failure: Failure, advice: str = "") -> None:
        super().__init__(f"the AWS credentials at hand do not work: {failure}{f'; {advice}' if advice else ''}")
        self.failure = failure


@dataclass(frozen=True, slots=True)
class AccountCredentials:
    """The right to call AWS in one account: credentials at hand, or a role that was assumed there."""

    account: AccountId
    keys: Credentials
    expires_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Whether they will last for some minutes more."""
        return self.expires_at is None or now + _RENEW_BEFORE < self.expires_at


_current: ContextVar[AccountCredentials | None] = ContextVar("landkeeper_credentials", default=None)


class _SwappedCredentials(Credentials):
    """Credentials that are whatever the ContextVar says when a request is signed."""

    def __init__(self) -> None:
        super().__init__("swapped-per-call", "swapped-per-call")

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        credentials = _current.get()
        if credentials is None:
            raise NoAccountSetError("a call to AWS was made without saying for which account")
        return credentials.keys.get_frozen_credentials()


class _SwappedProvider:
    """botocore's `credential_provider` component, reduced to the one method that the session calls."""

    def load_credentials(self) -> Credentials:
        return _SwappedCredentials()


class _SharedMethods:
    """Gives the clients of all regions the same methods.

    botocore writes a class with eight hundred methods for every client, which are alike and take over a megabyte.
    """

    def __init__(self) -> None:
        self._methods: dict[str, Any] = {}

    def __call__(self, **event: Any) -> None:
        class_attributes = event["class_attributes"]
        if not self._methods:
            self._methods.update(class_attributes)
        class_attributes.update(self._methods)


class _ClientWhenCalled:
    """Stands for a client that there may never be."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __getattr__(self, name: str) -> Any:
        return getattr(self._make(), name)


def client_config(*, max_connections: int = 64) -> Config:
    """How every client of the product talks to AWS: standard retries with jitter, bounded waits, a name of its own.

    AWS itself looks at what it is sent, and types are checked long before: looking at it here as well would cost a
    tenth of a call. So would putting the name together anew, twice in each call, which botocore does unless given one.
    """
    return Config(
        parameter_validation=False,
        user_agent=f"landkeeper/{__version__} Botocore/{botocore.__version__} Python/{platform.python_version()}",
        retries={"mode": "standard", "max_attempts": 5},
        connect_timeout=5,
        read_timeout=25,
        max_pool_connections=max_connections,
    )


class AccountSessions:
    """Credentials for any account of the organization, and clients that sign with them.

    Safe to use from several threads: a thread says `with sessions.signing_as(credentials):` and calls.
    """

    def __init__(
        self,
        home: botocore.session.Session,
        *,
        role_name: str | None = None,
        external_id: str | None = None,
        region: str,
        account_seconds: float = ACCOUNT_SECONDS,
        clock: Clock = time.monotonic,
    ) -> None:
        """`home` holds the credentials at hand; without `role_name` only their own account can be reached.

        `clock` counts the seconds that an account may take.
        """
        self._home = home
        self._role_name = role_name
        self._external_id = external_id
        self._region = region
        self._account_seconds = account_seconds
        self._clock = clock
        self._config = client_config()
        self._clients: dict[tuple[botocore.session.Session, str, str, Config | None], Any] = {}
        self._kept: OrderedDict[AccountId, AccountCredentials] = OrderedDict()
        self._lock = threading.Lock()
        self._principal: re.Match[str] | None = None
        swapped = botocore.session.Session(profile=home.profile)
        swapped.register_component("credential_provider", _SwappedProvider())
        swapped.register("creating-client-class.ec2", _SharedMethods())
        self._swapped = swapped
        keep_deadlines(home)
        keep_deadlines(swapped)

    @property
    def region(self) -> Region:
        """The region in which services that are not asked everywhere are called."""
        return Region(self._region)

    def home_account(self) -> AccountId:
        """The account of the credentials at hand. Raises HomeAccountError when AWS does not accept them."""
        return AccountId(self._identity()["account"])

    def home_principal(self) -> str:
        """The ARN of whoever the credentials at hand belong to. Raises HomeAccountError as `home_account` does."""
        return self._identity()[0]

    def partition(self) -> str:
        """The partition of the credentials at hand: `aws`, `aws-cn`, `aws-us-gov`. Raises as `home_account` does."""
        return self._identity()["partition"]

    def _identity(self) -> re.Match[str]:
        if self._principal is None:
            deadline = deadline_after(_IDENTITY_SECONDS, part=_PART_OF_WHAT_IS_LEFT, clock=self._clock)
            principal = do_within(deadline, lambda: _read_principal(self.home))
            if isinstance(principal, Failure):
                raise HomeAccountError(principal, self.advise(principal))
            self._principal = principal
        return self._principal

    def advise(self, failure: Failure) -> str:
        """Return what to do about the credentials at hand after a failure; empty where that is not known."""
        return advise(failure, self._home)

    def credentials_for(self, account: AccountId, *, now: datetime | None = None) -> AccountCredentials | Failure:
        """The credentials for `account`: those at hand for their own account, else of the role there, assumed once."""
        if account == self.home_account():
            keys = self._home.get_credentials()
            if keys is None:
                return Failure(FailureReason.CREDENTIALS, message="no AWS credentials found")
            return AccountCredentials(account, keys)
        moment = now or datetime.now(UTC)
        with self._lock:
            kept = self._kept.get(account)
        if kept is not None and kept.is_fresh(moment):
            return kept
        return self._assume(account)

    def _assume(self, account: AccountId) -> AccountCredentials | Failure:
        if self._role_name is None:
            return Failure(FailureReason.ROLE_NOT_ASSUMABLE, message="no role name is set")
        arn = f"arn:{self.partition()}:iam::{account}:role/{self._role_name}"
        try:
            assumed = assume_role(self.home("sts"), arn, self._external_id)
        except CALL_ERRORS as error:
            failure = failure_of(error)
            if failure.reason is FailureReason.MISSING_PERMISSION:
                return Failure(FailureReason.ROLE_NOT_ASSUMABLE, failure.code, failure.message)
            return failure
        if isinstance(assumed, Failure):
            return assumed
        credentials = AccountCredentials(account, assumed.keys, assumed.expires_at)
        with self._lock:
            self._kept[account] = credentials
            self._kept.move_to_end(account)
            while len(self._kept) > _KEPT_CREDENTIALS:
                self._kept.popitem(last=False)
        return credentials

    def account_deadline(self) -> Deadline:
        """Until when an account has to be read that is begun now: within half of the time left, where that is less."""
        return deadline_after(self._account_seconds, part=_PART_OF_WHAT_IS_LEFT, clock=self._clock)

    def do_in(self, account: AccountId, work: Callable[[], T | Failure]) -> T | Failure:
        """What `work` answers, whose calls are signed for the account.

        A Failure where there is no way in, AWS refuses a call or answers with something else, or it takes too long.
        """
        return do_within(self.account_deadline(), lambda: self._do_in(account, work))

    def _do_in(self, account: AccountId, work: Callable[[], T | Failure]) -> T | Failure:
        try:
            credentials = self.credentials_for(account)
            if isinstance(credentials, Failure):
                return credentials
            with self.signing_as(credentials):
                return work()
        except CALL_ERRORS as error:
            return failure_of(error)
        except STRANGE_ANSWERS as error:
            return strange_answer("AWS", error)

    def forget(self, account: AccountId) -> None:
        """Drop the credentials of an account that is done with."""
        with self._lock:
            self._kept.pop(account, None)

    @contextmanager
    def signing_as(self, credentials: AccountCredentials) -> Iterator[None]:
        """While this lasts, clients of this session sign with these credentials, in this thread."""
        token = _current.set(credentials)
        try:
            yield
        finally:
            _current.reset(token)

    def caller_account(self) -> AccountId:
        """The account that `signing_as` signs for, as STS sees it. Raises what botocore raises, KeyError too."""
        return AccountId(self._client(self._swapped, "sts", self._region).get_caller_identity()["Account"])

    def ec2(self, region: Region) -> EC2Client:
        """The EC2 client of a region; it signs for whatever account `signing_as` says."""
        client: EC2Client = self._client(self._swapped, "ec2", region)
        return client

    def scaling(self, region: Region) -> AutoScalingClient:
        """The Auto Scaling client of a region; it signs for whatever account `signing_as` says."""
        client: AutoScalingClient = self._client(self._swapped, "autoscaling", region)
        return client

    def ec2_once(self, region: Region) -> EC2Client:
        """A client as of `ec2` that sends each request once: for calls that must not be made twice unseen."""
        client: EC2Client = self._client(self._swapped, "ec2", region, _ONCE)
        return client

    def member(self, service: str, region: Region) -> Any:
        """A client of any service that signs for whatever account `signing_as` says."""
        return self._client(self._swapped, service, region)

    def member_short_timeout(self, service: str, region: Region) -> Any:
        """A client as of `member` that gives up within seconds: for answers that are to be had elsewhere as well."""
        return self._client(self._swapped, service, region, _HASTE)

    def home(self, service: str, region: str | None = None) -> Any:
        """A client that signs with the credentials at hand; in the session's own region unless told otherwise."""
        return self._client(self._home, service, region or self._region)

    def lazy_client(self, service: str) -> Any:
        """A client as of `home` that is made when it is first called: most invocations of a function need few."""
        return _ClientWhenCalled(lambda: self.home(service))

    def short_timeout_client(self, service: str) -> Any:
        """A client as of `home` that gives up within seconds: for answers that can be done without."""
        return self._client(self._home, service, self._region, _HASTE)

    def presigning_client(self, service: str) -> Any:
        """A client as of `home` for making links, which it signs as every region and KMS take it."""
        return self._client(self._home, service, self._region, _LINKS)

    def _client(self, session: botocore.session.Session, service: str, region: str, own: Config | None = None) -> Any:
        key = (session, service, region, own)
        # Making a client is not thread safe in boto3, using one is (boto3 guide, "Multithreading or multiprocessing").
        with self._lock:
            if key not in self._clients:
                config = self._config.merge(own) if own is not None else self._config
                self._clients[key] = session.create_client(service, region_name=region, config=config)
            return self._clients[key]


def _read_principal(home: Callable[[str], STSClient]) -> re.Match[str] | Failure:
    try:
        # Making a client looks for credentials, and what is wrong in the configuration comes up there.
        sts = home("sts")
        arn = sts.get_caller_identity()["Arn"]
        found = _PRINCIPAL.fullmatch(arn)
    except CALL_ERRORS as error:
        return failure_of(error)
    except STRANGE_ANSWERS as error:
        return strange_answer("STS", error)
    return found or strange_answer("STS", ValueError(f"{arn} is not the ARN of a principal"))


def open_sessions(
    region: Region,
    *,
    profile: str | None = None,
    role_name: str | None = None,
    external_id: str | None = None,
    prefer_profile_region: bool = False,
    account_seconds: float = ACCOUNT_SECONDS,
    clock: Clock = time.monotonic,
) -> AccountSessions:
    """Sessions on the credentials at hand, or on those of a profile. Raises UsageError for an unknown profile.

    With `prefer_profile_region` the region that the profile is configured with is used where it has one.
    """
    home = botocore.session.Session(profile=profile)
    try:
        configured = home.get_config_variable("region") if prefer_profile_region else None
        home.get_scoped_config()
    except ProfileNotFound as error:
        raise UsageError(unknown_profile(home.profile or "", home.available_profiles)) from error
    except BotoCoreError as error:
        raise UsageError(f"the AWS configuration cannot be used: {' '.join(str(error).split())}") from error
    # What a profile needs to get its credentials, a role or a sign-in, is asked for in this region too.
    home.set_config_variable("region", configured or region)
    return AccountSessions(
        home,
        role_name=role_name,
        external_id=external_id,
        region=configured or region,
        account_seconds=account_seconds,
        clock=clock,
    )
