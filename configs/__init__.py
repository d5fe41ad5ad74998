"""Experiments as files: get_config(variant), the time a run takes and what it scores."""
