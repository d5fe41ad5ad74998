"""Readers, a file a format: text in, `Pairs` or `Labelled` out, and what was odd counted."""
