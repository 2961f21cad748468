"""How nodes trust and reach each other: signing, registry, chain, bus. No web, no database but LocalLog's own file."""
