"""The vocabulary and the wire contracts of Comity: frozen, strict types, no I/O.

Private things (`Report`, `Observation`, `Evidence`) and public things (`Finding`, `Statement`) are different
types, so that the type checker refuses to publish what must stay.
"""
