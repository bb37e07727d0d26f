"""VPC Tracker on AWS: its ports by EC2, DynamoDB, SQS, SNS and IPAM."""
