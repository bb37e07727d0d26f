"""The demo's course: an AWS, an organization, the stack, the tracker's run, launches, and what became of them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from landkeeper.demo.acting import ACCOUNT, REGION, Acted, act
from landkeeper.demo.outcome import Observed, find_faults, result_of
from landkeeper.embedded.launches import Launched, launch_samples
from landkeeper.embedded.observer import (
    Tap,
    invoke,
    scan,
    seen_instances,
    seen_vpcs,
    waiting_messages,
)
from landkeeper.embedded.organization import REGIONS, Organization, give_member_roles, make_organization
from landkeeper.embedded.simulators import Embedded, Simulators, embedded_session
from landkeeper.operate.deploy import Declined, DeployRequest, template
from landkeeper.operate.stacks import ChangeSet, StackError, StackEvent
from landkeeper.org import AccountId, LandkeeperError
from landkeeper.settings import Settings, read_settings
from landkeeper.vpctracker.answers.overlaps import claims_of, find_overlaps
from landkeeper.wiring.broom.switch import turn_switch
from landkeeper.wiring.report import Written, write_report
from landkeeper.wiring.stack import deploy_stack
from landkeeper.wiring.vpc_store import open_store

STACK = "landkeeper"
_DEAD_LETTERS = ("BroomDeadLettersUrl", "WorkDeadLettersUrl", "EventDeadLettersUrl")
_REST_SECONDS = 300.0
"""When to go on without what did not come: many times what a busy machine takes over it."""
_POLL_SECONDS = 0.25


class Narrator(Protocol):
    """Tells the story to whoever is watching."""

    def chapter(self, title: str) -> None:
        """A new part begins."""

    def doing(self, what: str) -> None:
        """Something that takes a moment is under way."""

    def told(self, what: str) -> None:
        """Something happened."""

    def organization(self, organization: Organization) -> None:
        """The sample organization stands."""

    def change_set(self, change_set: ChangeSet) -> None:
        """The stack's change set is ready."""

    def tracked(self, organization: Organization, observed: Observed) -> None:
        """The tracker has run."""

    def acted(self, acted: Acted) -> None:
        """A default VPC went, and a new VPC came."""

    def launched(self, organization: Organization, launches: Sequence[Launched]) -> None:
        """The sample launches were made."""

    def swept(self, organization: Organization, launches: Sequence[Launched], observed: Observed) -> None:
        """Broom has dealt with them."""

    def reported(self, written: Written) -> None:
        """The report of it all is written."""


@dataclass(frozen=True, slots=True)
class DemoRun:
    """How the demo went."""

    result: Mapping[str, Any]
    faults: Sequence[str]
    """What should have happened and did not; empty when all is well."""
    exports: Mapping[str, str]
    """Variables that point a shell at what was left up; empty when nothing was."""
    process_ids: Sequence[int]
    """The simulators that were left up."""
    directory: str
    """Where those keep their files; to be removed with them."""


@dataclass(frozen=True, slots=True)
class _Stage:
    embedded: Embedded
    organization: Organization
    outputs: Mapping[str, str]


def run_demo(narrator: Narrator, report: Path, *, keep: bool) -> DemoRun:
    """Run the demo from nothing to its end, and write the report of it. With `keep` the embedded AWS outlives it.

    Raises SimulatorError or StackError when it cannot even begin; what goes wrong later is a fault of the run.
    """
    began = time.monotonic()
    simulators = Simulators()
    narrator.chapter("Start a simulated AWS")
    narrator.doing("starting moto and MiniStack")
    with simulators as embedded, _pointed_at(embedded):
        narrator.told(f"moto serves EC2, STS and Organizations on {embedded.moto_url}")
        narrator.told(f"MiniStack serves all other services on {embedded.ministack_url}")
        stage = _set_stage(narrator, embedded)
        result, faults = _play(narrator, stage, report, began)
        if not keep:
            return DemoRun(result, faults, {}, (), "")
        simulators.detach()
        exports = {**embedded.environment(), **_product_exports(stage.outputs)}
        return DemoRun(result, faults, exports, embedded.process_ids, str(embedded.directory))


def _play(narrator: Narrator, stage: _Stage, report: Path, began: float) -> tuple[Mapping[str, Any], Sequence[str]]:
    tap = Tap(embedded_session(stage.embedded), stage.outputs["ReportsTopicArn"])
    _track(narrator, stage)
    acted = _act(narrator, stage)
    launches = _launch(narrator, stage)
    observed = _wait_for_rest(narrator, stage, tap, launches)
    narrator.swept(stage.organization, launches, observed)
    written = _report(narrator, stage, report)
    result = {
        **result_of(observed, time.monotonic() - began),
        **({} if isinstance(acted, str) else acted.as_json()),
        **({} if isinstance(written, str) else {"report": str(written.path)}),
    }
    faults = [fault for fault in (acted, written) if isinstance(fault, str)]
    faults += [] if isinstance(acted, str) else acted.faults()
    return result, (*faults, *find_faults(observed, result, launches, stage.organization.unreadable))


def _set_stage(narrator: Narrator, embedded: Embedded) -> _Stage:
    narrator.chapter("Create an organization")
    narrator.doing("creating accounts and VPCs")
    organization = make_organization(embedded_session(embedded))
    narrator.organization(organization)
    narrator.chapter("Deploy Landkeeper")
    narrator.doing("packaging the functions and creating a change set")
    outputs = _deploy(narrator, organization)
    narrator.doing("creating the roles in the member accounts")
    roles = {name: outputs[name] for name in ("TrackerRoleArn", "BroomRoleArn")}
    roles["NetworkPrincipalArn"] = f"arn:aws:iam::{organization.management_account}:role/NetworkTeam"
    give_member_roles(organization, template("member-roles.yaml"), roles, embedded.moto_url)
    narrator.told("Created the reader, terminator and network roles in every member account except one")
    embedded.start_trail(outputs["TrailBucket"], f"AWSLogs/{organization.id}", events=True)
    return _Stage(embedded, organization, outputs)


def _deploy(narrator: Narrator, organization: Organization) -> Mapping[str, str]:
    request = DeployRequest(
        STACK,
        demo_policy(),
        parameters={
            # MiniStack has no trails: the embedded CloudTrail writes into the bucket that the stack makes.
            "CreateTrail": "false",
            "OrganizationId": organization.id,
            "Regions": ",".join(REGIONS),
            # Nor does it know policies of event buses; here every account's events reach the bus as they are.
            "EventForwarding": "false",
            # Nor StackSets: the roles are given to each account below.
            "MemberUnits": "",
            "EventDelaySeconds": "5",
            "WorkerConcurrency": "2",
        },
    )

    def approve(change_set: ChangeSet) -> bool:
        narrator.change_set(change_set)
        narrator.doing("executing the change set")
        return True

    def on_event(event: StackEvent) -> None:
        if event.status.endswith("COMPLETE"):
            narrator.doing(f"executing the change set: {event.resource}")

    deployed = deploy_stack(_settings(), request, approve=approve, on_event=on_event, poll_seconds=0.2)
    if isinstance(deployed, Declined):
        raise StackError(f"stack {STACK}: the change set was not executed")
    narrator.told(f"The stack {STACK} is complete")
    ledger = deployed.outputs["LedgerTable"]
    turn_switch(_settings().with_ledger(ledger=ledger, file=None), is_on=True, reason="the demo")
    narrator.told(
        f"Turned actions on (landkeeper broom actions on --ledger {ledger}): after a first deployment they are off"
    )
    return deployed.outputs


def demo_policy() -> str:
    """The text of the policy that the demo deploys."""
    return (files("landkeeper.demo") / "broom.yaml").read_text(encoding="utf-8")


def _track(narrator: Narrator, stage: _Stage) -> None:
    narrator.chapter("VPC Tracker: track every VPC")
    narrator.doing("the workers read every account from a queue")
    answer = invoke(embedded_session(stage.embedded), stage.outputs["DispatcherFunction"])
    if "errorMessage" in answer:
        narrator.told(f"the tracker's dispatcher failed: {answer['errorMessage']}")
    else:
        narrator.told(f"{answer['sent']} accounts were queued, and read by the workers")
        _wait_for_workers(stage)
    narrator.tracked(stage.organization, _observe(stage, ()))


def _wait_for_workers(stage: _Stage) -> None:
    """Wait until every account was tried and the queue is empty, or until it has taken too long."""
    session = embedded_session(stage.embedded)
    coverage = f"{stage.outputs['VpcTable']}Coverage"
    accounts = len(stage.organization.accounts) + 1
    deadline = time.monotonic() + _REST_SECONDS
    while time.monotonic() < deadline:
        if waiting_messages(session, stage.outputs["WorkQueueUrl"]) == 0 and len(scan(session, coverage)) >= accounts:
            return
        time.sleep(_POLL_SECONDS)


def _act(narrator: Narrator, stage: _Stage) -> Acted | str:
    narrator.chapter("VPC Tracker: vend a VPC")
    narrator.doing(f"creating a VPC for {ACCOUNT} in {REGION}")
    try:
        acted = act(_settings(stage.outputs["VpcTable"]), AccountId(stage.organization.accounts[ACCOUNT]))
    except LandkeeperError as error:
        return f"{ACCOUNT} should have got a VPC in {REGION}: {error}"
    narrator.acted(acted)
    return acted


def _report(narrator: Narrator, stage: _Stage, report: Path) -> Written | str:
    narrator.chapter("The report")
    narrator.doing("writing the report")
    stores = _settings(stage.outputs["VpcTable"]).with_ledger(ledger=stage.outputs["LedgerTable"], file=None)
    try:
        written = write_report(stores, report)
    except LandkeeperError as error:
        return f"the report was not written: {error}"
    narrator.reported(written)
    return written


def _launch(narrator: Narrator, stage: _Stage) -> list[Launched]:
    narrator.chapter("Launch instances")
    narrator.doing("launching instances in member accounts")
    launches = launch_samples(stage.organization)
    narrator.launched(stage.organization, launches)
    return launches


def _wait_for_rest(narrator: Narrator, stage: _Stage, tap: Tap, launches: Sequence[Launched]) -> Observed:
    """Wait until what should end has ended, its reports have come and the queue is empty; then look once more."""
    narrator.chapter("Broom: enforce the tag policy")
    narrator.doing("CloudTrail writes log files, Broom reads them")
    session = embedded_session(stage.embedded)
    bad = [launch for launch in launches if not launch.sample.complies]
    should_end = {instance_id for launch in bad for instance_id in launch.instance_ids}
    deadline = time.monotonic() + _REST_SECONDS
    while time.monotonic() < deadline:
        tap.poll()
        ended = {instance.instance_id for instance in seen_instances(stage.organization) if instance.ended}
        at_rest = waiting_messages(session, stage.outputs["BroomQueueUrl"]) == 0
        if should_end <= ended and len(tap.reports) >= len(bad) and at_rest:
            break
        time.sleep(_POLL_SECONDS)
    tap.poll()
    return _observe(stage, tap.reports)


def _observe(stage: _Stage, reports: Sequence[Any]) -> Observed:
    session = embedded_session(stage.embedded)
    table = stage.outputs["VpcTable"]
    organization = stage.organization
    # Beside the accounts' items the table holds what the topic was told, under keys that begin with a mark.
    coverage = [item for item in scan(session, f"{table}Coverage") if item["AccountId"].isdigit()]
    readable = {**organization.readable, "management": organization.management_account}
    with open_store(_settings(table), to_write=False) as store:
        collisions = find_overlaps(claims_of(store.read_all())).collisions
        unreadable = sorted(
            coverage_of.account for coverage_of in store.read_all_coverage() if not coverage_of.is_complete
        )
    return Observed(
        stored=scan(session, table),
        coverage=coverage,
        vpcs_by_owner=seen_vpcs(organization, readable),
        overlap_groups=[
            list(dict.fromkeys(claim.vpc.id for claim in group.claims)) for group in collisions if group.claims
        ],
        unreadable=unreadable,
        instances=seen_instances(organization),
        reports=tuple(reports),
        dead_letters=sum(waiting_messages(session, stage.outputs[queue]) for queue in _DEAD_LETTERS),
    )


def _settings(table: str | None = None) -> Settings:
    return read_settings(os.environ).with_store(table=table, file=None)


def _product_exports(outputs: Mapping[str, str]) -> dict[str, str]:
    return {
        "LANDKEEPER_VPC_TABLE": outputs["VpcTable"],
        "LANDKEEPER_LEDGER_TABLE": outputs["LedgerTable"],
        "LANDKEEPER_TOPIC_ARN": outputs["ReportsTopicArn"],
        "LANDKEEPER_ROLE_NAME": "landkeeper-read",
        "LANDKEEPER_REGIONS": ",".join(REGIONS),
    }


@contextmanager
def _pointed_at(embedded: Embedded) -> Iterator[None]:
    """Point this process at the embedded AWS, and away from any other, for as long as it lasts."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("AWS_", "LANDKEEPER_"))]:
        del os.environ[name]
    os.environ.update(embedded.environment())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
