"""Putting right what was found: corrective-action plans, and the register of contracts they hang on."""
