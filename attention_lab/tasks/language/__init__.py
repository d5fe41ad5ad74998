"""Language models: each token of a text, or of the grammar's stories, predicted from those before it."""
