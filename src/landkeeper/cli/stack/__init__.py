"""Commands about the deployed stack: deploy, destroy, doctor, cost."""
