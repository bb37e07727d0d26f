"""Running Landkeeper: what goes into the function package and the stack."""
