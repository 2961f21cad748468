"""Evidence files: received in pieces, kept encrypted, read by name, shredded in time. Never on the bus."""
