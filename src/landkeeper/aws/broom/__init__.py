"""Broom on AWS: its ports by EC2, DynamoDB, S3, SQS, SNS, Athena and Organizations."""
