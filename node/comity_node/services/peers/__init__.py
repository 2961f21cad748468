"""Members' nodes talking to each other directly: what one serves, asks for, and makes of what others say.

Nothing that comes this way is believed more than what comes over the bus: records go through the same inbox and the
same decision, a checkpoint counts by its signature, and a head that somebody reports proves nothing.
"""
