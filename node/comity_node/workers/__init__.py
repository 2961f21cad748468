"""What runs beside the API: the exchange with the network, in a process of its own that alone holds the signing key."""
