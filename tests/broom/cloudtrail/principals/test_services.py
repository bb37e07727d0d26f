"""Names of services: those that people know, and the same that AWS uses."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import botocore
import pytest

from landkeeper.broom.cloudtrail.principals.services import known_services, service_label

# Principals of parts of AWS that have no API of their own, and services that botocore has no model of any more.
_WITHOUT_API = {
    "ec2fleet", "ec2scheduled", "ecs-tasks", "eks-fargate", "eks-nodegroup", "launchwizard", "opsworks", "robomaker",
    "simspaceweaver", "spot", "spotfleet", "vmie", "iotsitewise", "proton", "kinesisanalytics", "m2", "forecast",
}  # fmt: skip
# What AWS calls a service by now, or what everybody does, where its model has another name.
_KNOWN_BETTER = {
    "aps", "cloudhsm", "drs", "fis", "kafka", "neptune-graph", "omics", "workspaces-web", "docdb-elastic", "es",
    "airflow", "connect", "deadline", "emr-containers", "greengrass", "inspector2", "mgn", "mq", "odb", "rds",
    "sagemaker", "ssm", "redshift-serverless", "braket", "workspaces-instances", "elasticmapreduce",
}  # fmt: skip

_FIELD = re.compile(r'"(serviceFullName|serviceAbbreviation|serviceId|endpointPrefix|signingName)": ?"([^"]*)"')


@pytest.mark.parametrize(
    ("principal", "label"),
    [
        ("bedrock.amazonaws.com", "Amazon Bedrock"),
        ("autoscaling.amazonaws.com", "Auto Scaling"),
        ("spot.amazonaws.com.cn", "EC2 Spot"),
        ("states.eu-west-1.amazonaws.com", "AWS Step Functions"),
        ("replicator.lambda.amazonaws.com", "AWS Lambda"),
        ("ec2.amazonaws.eu", "EC2"),
        ("new.amazonaws.com", "new.amazonaws.com"),
        ("eu-west-1.amazonaws.com", "eu-west-1.amazonaws.com"),
        ("ec2.example.com", "ec2.example.com"),
        ("AWS Internal", "AWS Internal"),
    ],
)
def test_a_service_has_the_name_that_people_know(principal: str, label: str) -> None:
    assert service_label(principal) == label


def test_the_names_are_those_of_the_models() -> None:
    names: dict[str, set[str]] = {}
    for model in (Path(botocore.__file__).parent / "data").glob("*/*/service-2.json.gz"):
        with gzip.open(model) as file:
            # All of a model takes a hundred times as long to read as what it begins with.
            about = dict(_FIELD.findall(file.read(4_000).decode(errors="replace")))
        called = {
            _plain(about[name]) for name in ("serviceFullName", "serviceAbbreviation", "serviceId") if name in about
        }
        for prefix in {model.parts[-3], about.get("endpointPrefix", ""), about.get("signingName", "")}:
            names.setdefault(prefix, set()).update(called)
    assert len(names) > 300
    wrong = {
        prefix: (name, names.get(prefix))
        for prefix, name in known_services().items()
        if prefix not in _WITHOUT_API | _KNOWN_BETTER and _plain(name) not in names.get(prefix, ())
    }
    assert not wrong


def _plain(name: str) -> str:
    return re.sub(r"^(amazon|aws)|elemental|\W", "", name.lower())
