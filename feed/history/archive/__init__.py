"""Old sessions as Parquet files: ``sessions`` has them, ``tiers`` reads them and the store as one."""
