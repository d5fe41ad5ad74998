"""Experiments as files; each has get_config(variant) and says how long it takes and what it scores."""
