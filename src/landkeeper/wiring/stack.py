"""The stack's wiring: package, upload and deploy with the credentials at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from landkeeper.aws.sessions import AccountSessions
from landkeeper.aws.stack.artifacts import ArtifactBucket
from landkeeper.aws.stack.bucket_notifications import BucketNotifications
from landkeeper.aws.stack.data_stores import LeftData
from landkeeper.aws.stack.deployer import StackDeployer
from landkeeper.aws.stack.environment import check_region, inspect_environment
from landkeeper.aws.stack.organization_trail import TrailsByArn
from landkeeper.operate.deploy import Declined, Deployed, DeployRequest, deploy
from landkeeper.operate.destroy import Destroyed, DestroyPlan, destroy
from landkeeper.operate.environment import Environment
from landkeeper.operate.package import FunctionPackage, make_package
from landkeeper.operate.preflight import ACTIONS, SERVICES, table_names
from landkeeper.operate.stacks import ChangeSet, StackEvent, StackState
from landkeeper.settings import Settings
from landkeeper.wiring.broom.switch import TableSwitch
from landkeeper.wiring.sessions import home_sessions


def deploy_stack(
    settings: Settings,
    request: DeployRequest,
    *,
    approve: Callable[[ChangeSet], bool],
    on_event: Callable[[StackEvent], None],
    on_package: Callable[[FunctionPackage], None] = lambda _: None,
    recover: Callable[[str], bool] = lambda _: True,
    is_plan: bool = False,
    architecture: str | None = None,
    poll_seconds: float = 2.0,
) -> Deployed | Declined:
    """Deploy into the account of the credentials at hand, in the settings' region.

    Raises HomeAccountError without working credentials, RefusedError for what it would fail on, StackError when
    CloudFormation refuses or rolls back.
    """
    sessions = home_sessions(settings)
    check_region(sessions.region)
    stacks = StackDeployer(sessions.home("cloudformation"), sessions.home("lambda"), poll_seconds=poll_seconds)

    def look(state: StackState | None, parameters: Mapping[str, str]) -> Environment:
        return _look(sessions, request.stack_name, state, parameters)

    def package() -> FunctionPackage:
        made = make_package(architecture)
        on_package(made)
        return made

    return deploy(
        request,
        package,
        ArtifactBucket(sessions.home("s3"), sessions.home_account(), sessions.region, sessions.home_principal()),
        stacks,
        inspect_environment=look,
        notifications=BucketNotifications(sessions.home("s3")),
        switch=TableSwitch(settings, sessions),
        trails=TrailsByArn(sessions.home("cloudtrail")),
        approve=approve,
        on_event=on_event,
        recover=recover,
        is_plan=is_plan,
    )


def _look(
    sessions: AccountSessions, stack_name: str, state: StackState | None, parameters: Mapping[str, str]
) -> Environment:
    return inspect_environment(
        sessions,
        state,
        stack_name=stack_name,
        parameters=parameters,
        tables=table_names(parameters),
        services=SERVICES,
        actions=ACTIONS,
    )


def destroy_stack(
    settings: Settings,
    stack_name: str,
    names: Sequence[str],
    *,
    approve: Callable[[DestroyPlan], bool],
    on_event: Callable[[StackEvent], None],
    poll_seconds: float = 2.0,
) -> Destroyed | None:
    """Delete a stack of the account of the credentials at hand, and the data that is named.

    Raises HomeAccountError without working credentials, UsageError where there is nothing like it, StackError when
    CloudFormation could not delete all of it.
    """
    sessions = home_sessions(settings)
    check_region(sessions.region)
    sessions.home_account()
    stacks = StackDeployer(sessions.home("cloudformation"), sessions.home("lambda"), poll_seconds=poll_seconds)
    return destroy(stack_name, names, stacks, LeftData(sessions), approve=approve, on_event=on_event)
