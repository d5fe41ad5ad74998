"""Generated examples, a function of sizes and a seed."""
