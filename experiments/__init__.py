"""The command line: thin modules that turn flags into a Config and call attention_lab."""
