"""Sentence pairs in, translations and BLEU out."""
