"""The four ids that every vocabulary begins with, whatever the tokenizer."""

PAD = 0  # fills a row up to its length; nothing attends to it and no loss counts it
UNKNOWN = 1  # a character or word that the training text did not have
BOS = 2  # the first input of a decoder
EOS = 3  # the end mark, the last token of every source and target

SPECIALS = ("<pad>", "<unk>", "<s>", "</s>")  # in the order of their ids
