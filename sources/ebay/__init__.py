"""eBay: its sandbox so far; the connector is declared here when it comes."""
