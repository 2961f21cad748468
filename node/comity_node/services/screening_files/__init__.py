"""Whole files of suppliers screened at one moment: against what the network shares, or against any list."""
