"""A process that launches what is due in a shop, small pages at a time, until there is nothing left."""

from __future__ import annotations

import os
import sys
from datetime import datetime

from shopkeeper.campaigns import launching
from shopkeeper.shop import Shop

if __name__ == "__main__":
    launching.PAGE = 20  # type: ignore[misc]
    at = datetime.fromisoformat(sys.argv[2])
    with Shop.open(sys.argv[1], now=lambda: at) as shop:
        os.write(1, b"ready\n")
        launching.launch(shop)
        os.write(1, b"done\n")
