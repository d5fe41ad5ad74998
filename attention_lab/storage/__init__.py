"""Files and their provenance: atomic writes, run folders, versions and machine, flags of XLA."""
