"""Text in, fixed-shape integer arrays out.

Readers (`multi30k`, `tsv`) and the grammar give `pairs.Pairs`; `tokenizers` turns text into ids;
`batching` lays ids into few fixed shapes, in an order that is a function of (seed, step).
"""
