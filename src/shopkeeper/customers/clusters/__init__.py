"""Groups of customers who are alike, if there are any."""
