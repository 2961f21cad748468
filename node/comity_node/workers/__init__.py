"""What runs beside the API: the exchange with the network. Its relay alone reads the signing key."""
