"""Worker processes, interleaved rounds and tables: what the benchmarks here share."""
