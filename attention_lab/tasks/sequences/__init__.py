"""Recall and echo: sequences that are answered token by token."""
