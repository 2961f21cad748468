"""What a node does, one use case a module, each over one transaction of `db.Store`; no HTTP, no terminal."""
