"""Many runs: a space of overrides, a plan of groups that share one program, and its execution."""
