"""Launches from CloudTrail records: `RunInstances`, and Spot requests that EC2 fulfilled.

Source: Amazon EC2 User Guide, "Log Amazon EC2 API calls using AWS CloudTrail"; Amazon EC2 API Reference,
"RunInstances".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from landkeeper.broom.cloudtrail.fields import (
    ACCOUNT,
    CLIENT_TOKEN,
    EVENT_ID,
    IMAGE_ID,
    INSTANCE_ID,
    INSTANCE_TYPE,
    PRINCIPAL_ARN,
    REGION,
    RESOURCE_ID,
    FieldError,
    Form,
    find_form,
    find_tags,
    kind_of,
    parse_form,
    parse_items,
    parse_object,
    parse_time,
    read_tags,
)
from landkeeper.broom.cloudtrail.principals.identity import SPOT, UNKNOWN_PRINCIPAL, describe_principal
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags
from landkeeper.org import AccountId, Principal, Region

_MOST_NAMED = 20
"""How many faults of a record are told one by one."""


def parse_launch(record: Mapping[str, Any], where: str) -> Launch:
    """A `RunInstances` that did not fail. Raises FieldError."""
    request = record.get("requestParameters")
    request = request if isinstance(request, dict) else {}
    answer = _answer(record, request)
    warnings: list[str] = []
    instances, losses = _instances(answer, warnings) if _names_instances(answer) else ((), [])
    return Launch(
        event_id=_event_id(record),
        event_time=parse_time(record),
        account=_account(record, answer),
        region=Region(parse_form(record, "awsRegion", REGION)),
        principal=_principal(record, warnings),
        instances=instances,
        request_tags=_request_tags(request, warnings),
        client_token=find_form(request, "clientToken", CLIENT_TOKEN),
        shared_event_id=find_form(record, "sharedEventID", EVENT_ID),
        launch_template=_template(request),
        where=where,
        warnings=_few(warnings),
        losses=_few(losses),
        update_id=_update_id(record),
        interruption=_interruption(request),
    )


def parse_fulfilment(record: Mapping[str, Any], where: str) -> Launch:
    """A Spot request that EC2 fulfilled: it names the instances and nothing else. Raises FieldError."""
    details = parse_object(record.get("serviceEventDetails"), "serviceEventDetails")
    listed = details.get("instanceIdSet")
    listed = listed if isinstance(listed, list) else []
    ids = [id_ for id_ in listed if isinstance(id_, str) and INSTANCE_ID.fits(id_)]
    if not ids:
        found = kind_of(details.get("instanceIdSet"))
        raise FieldError(f"serviceEventDetails.instanceIdSet is {found}: it has to list the instances' ids")
    unnamed = len(listed) - len(ids)
    # In no example of AWS's; where it is there, EC2 need not be asked.
    request = find_form(details, "spotInstanceRequestId", RESOURCE_ID)
    identity = record.get("userIdentity")
    caller = find_form(identity, "accountId", ACCOUNT) if isinstance(identity, dict) else ""
    account = _account(record, {})
    return Launch(
        event_id=_event_id(record),
        event_time=parse_time(record),
        account=account,
        region=Region(parse_form(record, "awsRegion", REGION)),
        principal=Principal("AWSService", "EC2 Spot", "", caller or account, SPOT),
        instances=tuple(LaunchedInstance(InstanceId(id_), "", "", {}, request) for id_ in ids),
        request_tags={},
        where=where,
        losses=(f"serviceEventDetails.instanceIdSet has {unnamed} that are not instance ids",) if unnamed else (),
        update_id=_update_id(record),
    )


def complete_launch(launch: Launch, update: Launch) -> Launch:
    """Return a launch with what another record of the same call adds or corrects.

    Source: AWS CloudTrail User Guide, "CloudTrail record contents" (`addendum`: the missing information of an event
    that was delivered before).
    """
    instances = {instance.id: instance for instance in launch.instances}
    for instance in update.instances:
        known = instances.get(instance.id)
        instances[instance.id] = instance if known is None else _complete_instance(known, instance)
    is_known = update.principal.kind != UNKNOWN_PRINCIPAL.kind
    before = ((), ()) if update.update_id else (launch.warnings, launch.losses)
    return replace(
        launch,
        principal=update.principal if is_known else launch.principal,
        instances=tuple(instances.values()),
        request_tags={**launch.request_tags, **update.request_tags},
        client_token=update.client_token or launch.client_token,
        launch_template=update.launch_template or launch.launch_template,
        warnings=tuple(dict.fromkeys((*before[0], *update.warnings))),
        losses=tuple(dict.fromkeys((*before[1], *update.losses))),
        update_id=update.update_id or launch.update_id,
        interruption=update.interruption or launch.interruption,
    )


def _complete_instance(known: LaunchedInstance, update: LaunchedInstance) -> LaunchedInstance:
    return LaunchedInstance(
        known.id,
        update.image_id or known.image_id,
        update.type or known.type,
        {**known.tags, **update.tags},
        update.spot_request or known.spot_request,
    )


def merge_updates(launches: Iterable[Launch]) -> list[Launch]:
    """Return the launches with the records that CloudTrail delivered anew merged into those of the same event."""
    merged: dict[str, list[Launch]] = {}
    for launch in launches:
        known = merged.setdefault(launch.event_id, [])
        place = next((at for at, other in enumerate(known) if is_update(other, launch)), None)
        if place is None:
            known.append(launch)
        else:
            known[place] = complete_launch(*sorted((known[place], launch), key=update_order))
    return [launch for same in merged.values() for launch in same]


def is_update(launch: Launch, other: Launch) -> bool:
    """Return whether one of them was delivered anew to correct the other.

    Whoever writes a record chooses the event that it claims to correct: it has to be of the same account and region.
    """
    same = (launch.event_id, launch.account, launch.region) == (other.event_id, other.account, other.region)
    return same and bool(launch.update_id or other.update_id)


def update_order(launch: Launch) -> tuple[str, str]:
    """Return what records of one call are sorted by: what is delivered anew comes after what it corrects."""
    return launch.update_id, launch.event_id


def _few(reasons: list[str]) -> tuple[str, ...]:
    more = len(reasons) - _MOST_NAMED
    return (*reasons[:_MOST_NAMED], *([f"and {more} more of the same record"] if more > 0 else []))


def _interruption(request: Mapping[str, Any]) -> str:
    """Return what EC2 does when it interrupts the Spot Instances; empty if the request does not say.

    Source: Amazon EC2 API Reference, "SpotMarketOptions" (`InstanceInterruptionBehavior`).
    """
    market = request.get("instanceMarketOptions")
    options = market.get("spotOptions") if isinstance(market, dict) else None
    return find_form(options, "instanceInterruptionBehavior", RESOURCE_ID) if isinstance(options, dict) else ""


def _is_left_out(response: object) -> bool:
    """Whether CloudTrail left the answer of a call out: for its size it writes null, or says `omitted`."""
    return response is None or response == "null" or (isinstance(response, dict) and response.get("omitted") is True)


def _names_instances(answer: Mapping[str, Any]) -> bool:
    """Whether an answer lists anything as the instances; a launch has at least one."""
    listed = answer.get("instancesSet")
    return listed is not None and (not isinstance(listed, dict) or listed.get("items") not in (None, []))


def _answer(record: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    response = record.get("responseElements")
    is_left_out = _is_left_out(response)
    answer = {} if is_left_out else parse_object(response, "responseElements")
    if _names_instances(answer):
        return answer
    token = request.get("clientToken")
    if not isinstance(token, str) or not token:
        what = "responseElements is null" if is_left_out else "responseElements.instancesSet lists nothing"
        raise FieldError(
            f"{what}: the log does not say which instances this RunInstances created, and without a "
            "clientToken only an audit finds them"
        )
    # Whoever launches chooses it, and it is what EC2 is asked about.
    parse_form(request, "clientToken", CLIENT_TOKEN, "requestParameters")
    return answer


def _event_id(record: Mapping[str, Any]) -> str:
    """The id of the event; of the one that is added to, where CloudTrail delivers a record anew."""
    if original := _original_id(record):
        return parse_form({"originalEventID": original}, "originalEventID", EVENT_ID, "addendum")
    return parse_form(record, "eventID", EVENT_ID)


def _update_id(record: Mapping[str, Any]) -> str:
    """The id of a record that CloudTrail delivered anew; empty for any other."""
    original = _original_id(record)
    own = find_form(record, "eventID", EVENT_ID)
    return (own or "again") if original and original != own else ""


def _original_id(record: Mapping[str, Any]) -> str:
    addendum = record.get("addendum")
    original = addendum.get("originalEventID") if isinstance(addendum, dict) else None
    return original if isinstance(original, str) else ""


def _account(record: Mapping[str, Any], answer: Mapping[str, Any]) -> AccountId:
    """The account that the instances are in. Raises FieldError."""
    identity = record.get("userIdentity")
    places: list[tuple[Mapping[str, Any], str, str]] = [
        (record, "recipientAccountId", ""),
        (answer, "ownerId", "responseElements"),
        (identity if isinstance(identity, dict) else {}, "accountId", "userIdentity"),
    ]
    # A shared event goes to several accounts, and only one of them has the instances.
    if "sharedEventID" in record:
        places[:2] = reversed(places[:2])
    for fields, name, path in places:
        if isinstance(fields.get(name), str) and fields[name]:
            return AccountId(parse_form(fields, name, ACCOUNT, path))
    raise FieldError("neither recipientAccountId, responseElements.ownerId nor userIdentity.accountId is given")


def _principal(record: Mapping[str, Any], warnings: list[str]) -> Principal:
    identity = record.get("userIdentity")
    if not isinstance(identity, dict):
        warnings.append(f"userIdentity is {kind_of(identity)}, not an object: nobody knows who it was")
        return UNKNOWN_PRINCIPAL
    principal = describe_principal(identity)
    if principal is None:
        warnings.append("userIdentity has no type: nobody knows who it was")
        return UNKNOWN_PRINCIPAL
    if not all(not arn or PRINCIPAL_ARN.fits(arn) for arn in (principal.arn, principal.issuer_arn)):
        # An exemption may go by it; a report shows the name alone.
        warnings.append("userIdentity has an arn that is not the ARN of a principal: it exempts nothing")
        return replace(principal, arn="", issuer_arn="")
    return principal


def _instances(answer: Mapping[str, Any], warnings: list[str]) -> tuple[tuple[LaunchedInstance, ...], list[str]]:
    """Return the instances that an answer names, and why it does not name others. Raises FieldError for none at all."""
    path = "responseElements.instancesSet"
    items = parse_items(answer.get("instancesSet"), path)
    instances, losses = list[LaunchedInstance](), list[str]()
    for index, item in enumerate(items):
        try:
            instances.append(_instance(item, f"{path}.items[{index}]", warnings))
        except FieldError as error:
            losses.append(str(error))
    if not instances:
        raise FieldError(losses[0])
    return tuple(instances), losses


def _instance(item: object, path: str, warnings: list[str]) -> LaunchedInstance:
    fields = parse_object(item, path)
    id_ = InstanceId(parse_form(fields, "instanceId", INSTANCE_ID, path))
    return LaunchedInstance(
        id=id_,
        image_id=_form_or_warning(fields, "imageId", IMAGE_ID, path, warnings),
        type=_form_or_warning(fields, "instanceType", INSTANCE_TYPE, path, warnings),
        tags=find_tags(fields.get("tagSet"), f"{path}.tagSet", warnings),
        spot_request=find_form(fields, "spotInstanceRequestId", RESOURCE_ID),
    )


def _form_or_warning(fields: Mapping[str, Any], name: str, form: Form, path: str, warnings: list[str]) -> str:
    try:
        return parse_form(fields, name, form, path)
    except FieldError as error:
        warnings.append(str(error))
        return ""


def _template(request: Mapping[str, Any]) -> str:
    template = request.get("launchTemplate")
    named = template if isinstance(template, dict) else {}
    return find_form(named, "launchTemplateId", RESOURCE_ID) or find_form(named, "launchTemplateName", RESOURCE_ID)


def _request_tags(request: Mapping[str, Any], warnings: list[str]) -> Tags:
    path = "requestParameters.tagSpecificationSet"
    found: dict[str, str] = {}
    try:
        items = parse_items(request.get("tagSpecificationSet"), path)
    except FieldError as error:
        warnings.append(str(error))
        items = []
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            warnings.append(f"{path}.items[{index}] is {kind_of(item)}, not an object")
        elif item.get("resourceType") == "instance":
            tags = item.get("tags")
            found.update(read_tags(tags if isinstance(tags, list) else [], f"{path}.items[{index}].tags", warnings))
    return found
