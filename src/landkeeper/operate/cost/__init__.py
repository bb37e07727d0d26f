"""What Landkeeper costs a month: a model of the stack, from measured figures and AWS's public prices."""
