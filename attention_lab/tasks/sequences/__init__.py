"""Recall, echo and a marked word: sequences that are answered token by token."""
