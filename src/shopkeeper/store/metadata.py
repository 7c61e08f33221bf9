"""What the files of tables share: one list of tables, and the type of a key that counts by itself."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

METADATA = MetaData()

# SQLite numbers rows by itself only where the key's type is literally INTEGER.
Number = BigInteger().with_variant(Integer, "sqlite")
