"""What `landkeeper doctor` makes of what it read: each judgement is a pure function from facts to lines."""
