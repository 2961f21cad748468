"""Getting what was released onto the bus: the own log, signing, sending, and what still stands."""
