"""Shopify. The sandbox that answers as its API does is here; the connector itself comes with it."""
