"""Entry points of the AWS Lambda functions. Each is thin: settings, wiring, one use case."""
