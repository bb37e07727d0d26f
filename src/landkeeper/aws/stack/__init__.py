"""The stack on AWS: deploying it, what is around it, and what the doctor reads of it."""
