"""Arrays as data sets: of NumPy's files, of parquet files, and in the memory of a program."""
