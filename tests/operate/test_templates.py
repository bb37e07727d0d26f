"""Names written out in the stack's template, and what its page says of its parameters."""

from __future__ import annotations

import re
from pathlib import Path

from landkeeper.operate.templates import parameter_names, stack_template, template

PAGE = Path(__file__).parents[2] / "docs" / "deploy.md"


def test_names_that_are_known_are_written_out_and_nothing_else_is_changed() -> None:
    text = stack_template({"AWS::StackName": "keeper", "VpcTable": "Ours"})
    changed = [
        (old.strip(), new.strip())
        for old, new in zip(template("landkeeper.yaml").splitlines(), text.splitlines(), strict=True)
        if old != new
    ]
    assert changed == [
        ("TableName: !Ref VpcTable", 'TableName: "Ours"'),
        ('TableName: !Sub "${VpcTable}History"', 'TableName: "OursHistory"'),
        ('TableName: !Sub "${VpcTable}Coverage"', 'TableName: "OursCoverage"'),
        ('TableName: !Sub "${VpcTable}Pools"', 'TableName: "OursPools"'),
        ("TableName: !Ref LedgerTable", 'TableName: "BroomLedger"'),
        ("TrailName: !Ref AWS::StackName", 'TrailName: "keeper"'),
    ]


def test_everything_that_is_kept_has_its_name_written_out() -> None:
    known = {"AWS::StackName": "keeper", "AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1"}
    resources = re.split(r"^  (?=\w+:$)", stack_template(known), flags=re.MULTILINE)
    kept = [each for each in resources if "DeletionPolicy: Retain" in each]
    assert len(kept) == 10
    for resource in kept:
        assert re.search(r'^      (TableName|BucketName|Bucket|TrailName): "[\w-]+"$', resource, re.MULTILINE), resource


def test_the_page_names_no_parameter_that_the_template_lacks() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"\b([A-Z][A-Za-z]+)=", text)) | set(re.findall(r"`([A-Z][a-z]+[A-Z][A-Za-z]+)`", text))
    assert len(named) > 12
    assert not named - set(parameter_names())
