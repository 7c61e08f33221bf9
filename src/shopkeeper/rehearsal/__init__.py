"""The whole loop, played on a simulated shop, whose customers react and whose truth is known."""
