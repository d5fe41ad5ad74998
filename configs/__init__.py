"""Experiments as files: get_config(variant), the time that a run takes and its scores."""
