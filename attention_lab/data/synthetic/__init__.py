"""Examples that are written here, a function of sizes and a seed."""
