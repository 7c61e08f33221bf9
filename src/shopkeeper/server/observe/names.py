"""Names that the supervisor needs too, which loads no library for measuring."""

from typing import Final

SHARED: Final = "PROMETHEUS_MULTIPROC_DIR"
"""The folder through which the processes of one server share what they measure."""

SERVES: Final = "shopkeeper serve"
"""The purpose under which a worker holds the tables' lease."""
