"""AWS services by the names that people know, for those that launch instances or act for somebody.

`tests/broom/cloudtrail/principals/test_services.py` holds the names against those in botocore.
Source: IAM User Guide, "AWS services that work with IAM"; CloudTrail User Guide, "CloudTrail userIdentity element"
(`invokedBy`).
"""

from __future__ import annotations

import re

_NAMES = {
    "airflow": "Amazon Managed Workflows for Apache Airflow",
    "apprunner": "AWS App Runner",
    "appstream": "Amazon AppStream",
    "aps": "Amazon Managed Service for Prometheus",
    "athena": "Amazon Athena",
    "autoscaling": "Auto Scaling",
    "autoscaling-plans": "AWS Auto Scaling Plans",
    "backup": "AWS Backup",
    "batch": "AWS Batch",
    "bedrock": "Amazon Bedrock",
    "bedrock-agentcore": "Amazon Bedrock AgentCore",
    "braket": "Amazon Braket",
    "cloud9": "AWS Cloud9",
    "cloudformation": "CloudFormation",
    "cloudhsm": "AWS CloudHSM",
    "codebuild": "AWS CodeBuild",
    "codecatalyst": "Amazon CodeCatalyst",
    "codedeploy": "AWS CodeDeploy",
    "codepipeline": "AWS CodePipeline",
    "config": "AWS Config",
    "connect": "Amazon Connect",
    "controltower": "AWS Control Tower",
    "datapipeline": "AWS Data Pipeline",
    "datasync": "AWS DataSync",
    "datazone": "Amazon DataZone",
    "dax": "Amazon DynamoDB Accelerator (DAX)",
    "deadline": "AWS Deadline Cloud",
    "dlm": "Amazon Data Lifecycle Manager",
    "dms": "AWS Database Migration Service",
    "docdb-elastic": "Amazon DocumentDB Elastic Clusters",
    "drs": "AWS Elastic Disaster Recovery",
    "ds": "AWS Directory Service",
    "ec2": "EC2",
    "ec2fleet": "EC2 Fleet",
    "ec2scheduled": "EC2 Scheduled Instances",
    "ecs": "ECS",
    "ecs-tasks": "ECS task",
    "eks": "EKS",
    "eks-fargate": "EKS on Fargate",
    "eks-nodegroup": "EKS node group",
    "elasticache": "Amazon ElastiCache",
    "elasticbeanstalk": "Elastic Beanstalk",
    "elasticfilesystem": "Amazon Elastic File System",
    "elasticloadbalancing": "Elastic Load Balancing",
    "elasticmapreduce": "EMR",
    "emr-containers": "Amazon EMR on EKS",
    "emr-serverless": "EMR Serverless",
    "es": "Amazon OpenSearch Service",
    "events": "Amazon EventBridge",
    "evs": "Amazon Elastic VMware Service",
    "fis": "AWS Fault Injection Service",
    "forecast": "Amazon Forecast",
    "fsx": "Amazon FSx",
    "gamelift": "Amazon GameLift",
    "gameliftstreams": "Amazon GameLift Streams",
    "glue": "AWS Glue",
    "greengrass": "AWS IoT Greengrass",
    "groundstation": "AWS Ground Station",
    "guardduty": "Amazon GuardDuty",
    "imagebuilder": "EC2 Image Builder",
    "inspector": "Amazon Inspector",
    "inspector2": "Amazon Inspector",
    "iotsitewise": "AWS IoT SiteWise",
    "kafka": "Amazon MSK",
    "kinesisanalytics": "Amazon Managed Service for Apache Flink",
    "lambda": "AWS Lambda",
    "launchwizard": "AWS Launch Wizard",
    "license-manager": "AWS License Manager",
    "lightsail": "Amazon Lightsail",
    "m2": "AWS Mainframe Modernization",
    "mediaconnect": "AWS Elemental MediaConnect",
    "medialive": "AWS Elemental MediaLive",
    "memorydb": "Amazon MemoryDB",
    "mgn": "AWS Application Migration Service",
    "mq": "Amazon MQ",
    "neptune-graph": "Amazon Neptune Analytics",
    "network-firewall": "AWS Network Firewall",
    "odb": "Oracle Database@AWS",
    "omics": "AWS HealthOmics",
    "opsworks": "AWS OpsWorks",
    "outposts": "AWS Outposts",
    "pcs": "AWS Parallel Computing Service",
    "personalize": "Amazon Personalize",
    "proton": "AWS Proton",
    "quicksight": "Amazon QuickSight",
    "rds": "Amazon RDS",
    "redshift": "Amazon Redshift",
    "redshift-serverless": "Amazon Redshift Serverless",
    "resiliencehub": "AWS Resilience Hub",
    "robomaker": "AWS RoboMaker",
    "s3-outposts": "Amazon S3 on Outposts",
    "sagemaker": "Amazon SageMaker",
    "scheduler": "Amazon EventBridge Scheduler",
    "servicecatalog": "AWS Service Catalog",
    "simspaceweaver": "AWS SimSpace Weaver",
    "spot": "EC2 Spot",
    "spotfleet": "Spot Fleet",
    "ssm": "AWS Systems Manager",
    "states": "AWS Step Functions",
    "storagegateway": "AWS Storage Gateway",
    "tnb": "AWS Telco Network Builder",
    "transfer": "AWS Transfer Family",
    "vmie": "VM Import/Export",
    "workspaces": "Amazon WorkSpaces",
    "workspaces-instances": "Amazon WorkSpaces",
    "workspaces-web": "Amazon WorkSpaces Secure Browser",
}
_HOST = re.compile(r"(.+)\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu)")
_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")


def service_label(principal: str) -> str:
    """Return the name of the service with this principal, as in `bedrock.amazonaws.com`; the principal if unknown.

    It may be of another partition, or name a region or a part of the service.
    Source: IAM User Guide, "AWS JSON policy elements: Principal" (service principals and regions).
    """
    host = _HOST.fullmatch(principal)
    if host is None:
        return principal
    labels = [label for label in host[1].split(".") if not _REGION.fullmatch(label)]
    candidates = (".".join(labels), *reversed(labels)) if labels else ()
    return next((_NAMES[name] for name in candidates if name in _NAMES), principal)


def known_services() -> dict[str, str]:
    """Return the names by what the principals of their services begin with."""
    return dict(_NAMES)
