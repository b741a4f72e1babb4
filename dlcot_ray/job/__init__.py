"""The batch job: shards in, annotated and enhanced shards out."""
