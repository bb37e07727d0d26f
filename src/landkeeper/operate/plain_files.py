"""The stack as plain files, for people who deploy with a pipeline of their own."""

from __future__ import annotations

import json

from landkeeper.operate.deploy import DeployRequest, package_parameters
from landkeeper.operate.package import FunctionPackage
from landkeeper.operate.preflight import ledger_name
from landkeeper.operate.templates import (
    LOG_ARCHIVE,
    MEMBER_EVENTS,
    MEMBER_ROLES,
    POOL_FORWARDER,
    STACK,
    stack_template,
    template,
)

YOUR_BUCKET = "YOUR-BUCKET"

_README = """\
# The stack {stack}, to deploy with your own pipeline

Put your bucket into `parameters.json` in place of {bucket}, say which organization it is (`OrganizationId`), and:

{uploads}
    aws cloudformation create-change-set --stack-name {stack} --change-set-name first --change-set-type CREATE \\
      --template-url https://s3.REGION.amazonaws.com/{bucket}/{stack}/{template} \\
      --parameters file://parameters.json --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND \\
      --import-existing-resources
    aws cloudformation execute-change-set --stack-name {stack} --change-set-name first

Broom reports, and stops and terminates nothing until `landkeeper broom actions on --ledger {ledger}`, unless you pass
the parameter `Actions=on`.

`--import-existing-resources` adopts the tables that an earlier stack has left. The template is larger than a call
takes, so it comes from the bucket. `{roles}` goes into every other account, `{events}` into every region of every
account, and `{archive}` into the account of an existing trail's bucket, if it is another account. `{forwarder}` goes
into each other region in which stacks ask for blocks of pools, in this account.
"""


def plain_files(request: DeployRequest, package: FunctionPackage) -> dict[str, bytes]:
    """Templates, package, policy, parameters and a page that says what to do with them, by file name.

    Nothing is looked up: the names of tables are written out, the bucket's takes the account and stays as it is.
    """
    files = {
        STACK: stack_template({**request.parameters, "AWS::StackName": request.stack_name}).encode(),
        # A new package has a new name: under the old one CloudFormation would see nothing to change.
        f"functions-{package.digest}.zip": package.body,
        **{name: template(name).encode() for name in (MEMBER_ROLES, MEMBER_EVENTS, LOG_ARCHIVE, POOL_FORWARDER)},
    }
    keys = {
        "CodeKey": f"functions-{package.digest}.zip",
        "MemberRolesKey": MEMBER_ROLES,
        "MemberEventsKey": MEMBER_EVENTS,
    }
    for parameter, name, text in (
        ("PolicyKey", "broom.yaml", request.policy),
        ("ConfigKey", "config.yaml", request.config),
    ):
        if text:
            files[name] = text.encode()
            keys[parameter] = name
    placed = {parameter: f"{request.stack_name}/{name}" for parameter, name in keys.items()}
    parameters = {**package_parameters(package), "CodeBucket": YOUR_BUCKET, **placed, **request.parameters}
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    files["parameters.json"] = (json.dumps(listed, indent=2) + "\n").encode()
    ledger = ledger_name(request.parameters)
    files["README.md"] = _readme(request.stack_name, ledger, [*keys.values(), STACK]).encode()
    return files


def _readme(stack_name: str, ledger: str, names: list[str]) -> str:
    return _README.format(
        stack=stack_name,
        bucket=YOUR_BUCKET,
        ledger=ledger,
        uploads="".join(f"    aws s3 cp {name} s3://{YOUR_BUCKET}/{stack_name}/{name}\n" for name in names),
        template=STACK,
        roles=MEMBER_ROLES,
        events=MEMBER_EVENTS,
        archive=LOG_ARCHIVE,
        forwarder=POOL_FORWARDER,
    )
