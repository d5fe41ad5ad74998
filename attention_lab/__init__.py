"""A laboratory for studying attention: pure functions, config-driven experiments, honest verdicts."""
