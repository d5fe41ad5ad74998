"""Readers, one file for each format: from files to `Pairs` or `Labelled`, with counts of irregularities."""
