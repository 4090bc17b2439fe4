"""The durable side of history: tables, codecs, the one writer, readers, upkeep, import and export."""
