"""Shopify's orders, products and customers, in the spellings of its REST and its GraphQL interface."""
