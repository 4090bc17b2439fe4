"""The durable side of history: tables, codecs, the one writer, readers. Read `tables` first."""
