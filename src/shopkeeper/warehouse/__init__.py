"""The analytical tables: Delta Lake on disk, one writer, queries in Narwhals on DuckDB."""
