"""Text in, fixed-shape integer arrays out.

    sources.py    the choices of data.source: SOURCES, load        readers/     one file for each format
    synthetic/    recall, echo, marked, senses                    grammar/     English and French sentences

The carriers are `pairs.Pairs`, `labelled.Labelled` and `sequences.Sequences`; `tokenizers` turns text into
ids; `batching` puts ids into arrays of few fixed shapes, in an order that is a function of (seed, step).
"""
