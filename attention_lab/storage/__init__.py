"""What lies on disk and where it came from: whole files, run folders, versions and machine, flags of XLA."""
