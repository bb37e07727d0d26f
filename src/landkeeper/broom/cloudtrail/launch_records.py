"""Launches from CloudTrail records: `RunInstances`, and Spot requests that EC2 fulfilled.

Source: Amazon EC2 User Guide, "Log Amazon EC2 API calls using AWS CloudTrail"; Amazon EC2 API Reference,
"RunInstances".
"""

from __future__ import annotations

from collections.abc import Mapping
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
    kind_of,
    parse_form,
    parse_items,
    parse_object,
    parse_tags,
    parse_time,
)
from landkeeper.broom.cloudtrail.identity import SPOT, UNKNOWN_PRINCIPAL, describe_principal
from landkeeper.broom.launches import InstanceId, Launch, LaunchedInstance, Tags
from landkeeper.org import AccountId, Principal, Region


def parse_launch(record: Mapping[str, Any], where: str) -> Launch:
    """A `RunInstances` that did not fail. Raises FieldError."""
    request = record.get("requestParameters")
    request = request if isinstance(request, dict) else {}
    answer = _answer(record, request)
    warnings: list[str] = []
    return Launch(
        event_id=_event_id(record),
        event_time=parse_time(record),
        account=_account(record, answer),
        region=Region(parse_form(record, "awsRegion", REGION)),
        principal=_principal(record, warnings),
        instances=() if _is_left_out(record.get("responseElements")) else _instances(answer, warnings),
        request_tags=_request_tags(request),
        client_token=find_form(request, "clientToken", CLIENT_TOKEN),
        shared_event_id=find_form(record, "sharedEventID", EVENT_ID),
        launch_template=_template(request),
        where=where,
        warnings=tuple(warnings),
    )


def parse_fulfilment(record: Mapping[str, Any], where: str) -> Launch:
    """A Spot request that EC2 fulfilled: it names the instances and nothing else. Raises FieldError."""
    details = parse_object(record.get("serviceEventDetails"), "serviceEventDetails")
    ids = details.get("instanceIdSet")
    if not isinstance(ids, list) or not ids or not all(isinstance(id_, str) and INSTANCE_ID.fits(id_) for id_ in ids):
        raise FieldError(f"serviceEventDetails.instanceIdSet is {kind_of(ids)}: it has to list the instances' ids")
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
    )


def _is_left_out(response: object) -> bool:
    """Whether CloudTrail left the answer of a call out: for its size it writes null, or says `omitted`."""
    return response is None or response == "null" or (isinstance(response, dict) and response.get("omitted") is True)


def _answer(record: Mapping[str, Any], request: Mapping[str, Any]) -> Mapping[str, Any]:
    response = record.get("responseElements")
    if not _is_left_out(response):
        return parse_object(response, "responseElements")
    token = request.get("clientToken")
    if not isinstance(token, str) or not token:
        raise FieldError(
            "responseElements is null: the log does not say which instances this RunInstances created, and without a "
            "clientToken only an audit finds them"
        )
    # Whoever launches chooses it, and it is what EC2 is asked about.
    parse_form(request, "clientToken", CLIENT_TOKEN, "requestParameters")
    return {}


def _event_id(record: Mapping[str, Any]) -> str:
    """The id of the event; of the one that is added to, where CloudTrail delivers a record anew."""
    addendum = record.get("addendum")
    original = addendum.get("originalEventID") if isinstance(addendum, dict) else None
    if isinstance(original, str) and original:
        return parse_form({"originalEventID": original}, "originalEventID", EVENT_ID, "addendum")
    return parse_form(record, "eventID", EVENT_ID)


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


def _instances(answer: Mapping[str, Any], warnings: list[str]) -> tuple[LaunchedInstance, ...]:
    path = "responseElements.instancesSet"
    items = parse_object(answer.get("instancesSet"), path).get("items")
    if not isinstance(items, list) or not items:
        raise FieldError(f"{path}.items is {kind_of(items)}: it has to list the instances")
    return tuple(_instance(item, f"{path}.items[{index}]", warnings) for index, item in enumerate(items))


def _instance(item: object, path: str, warnings: list[str]) -> LaunchedInstance:
    fields = parse_object(item, path)
    id_ = InstanceId(parse_form(fields, "instanceId", INSTANCE_ID, path))
    return LaunchedInstance(
        id=id_,
        image_id=_form_or_warning(fields, "imageId", IMAGE_ID, path, warnings),
        type=_form_or_warning(fields, "instanceType", INSTANCE_TYPE, path, warnings),
        tags=parse_tags(parse_items(fields.get("tagSet"), f"{path}.tagSet"), f"{path}.tagSet"),
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


def _request_tags(request: Mapping[str, Any]) -> Tags:
    path = "requestParameters.tagSpecificationSet"
    found: dict[str, str] = {}
    for item in parse_items(request.get("tagSpecificationSet"), path):
        specification = parse_object(item, f"{path}.items")
        tags = specification.get("tags")
        if specification.get("resourceType") == "instance":
            found.update(parse_tags(tags if isinstance(tags, list) else [], f"{path}.items.tags"))
    return found
