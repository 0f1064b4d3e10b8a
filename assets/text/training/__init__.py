"""How the shipped model was made, from public data given by path and texts of our own."""
