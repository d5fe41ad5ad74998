"""What users type: thin modules that turn flags into a Config and call the laboratory."""
