"""The stack's wiring: package, upload and deploy with the credentials at hand."""

from __future__ import annotations

from collections.abc import Callable

from landkeeper.aws.artifacts import ArtifactBucket
from landkeeper.aws.sessions import open_sessions
from landkeeper.aws.stack import StackDeployer
from landkeeper.operate.deploy import Declined, Deployed, DeployRequest, deploy
from landkeeper.operate.package import make_package
from landkeeper.operate.stacks import ChangeSet, StackEvent
from landkeeper.settings import Settings


def deploy_stack(
    settings: Settings,
    request: DeployRequest,
    *,
    approve: Callable[[ChangeSet], bool],
    on_event: Callable[[StackEvent], None],
    poll_seconds: float = 2.0,
) -> Deployed | Declined:
    """Deploy into the account of the credentials at hand, in the settings' region.

    Raises HomeAccountError without working credentials, StackError when CloudFormation refuses or rolls back.
    """
    sessions = open_sessions(settings.region)
    artifacts = ArtifactBucket(sessions.home("s3"), sessions.home_account(), settings.region)
    stacks = StackDeployer(sessions.home("cloudformation"), poll_seconds=poll_seconds)
    return deploy(request, make_package(), artifacts, stacks, approve=approve, on_event=on_event)
