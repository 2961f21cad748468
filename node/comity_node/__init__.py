"""One member's server: domain, services, database, workers, API and commands."""
