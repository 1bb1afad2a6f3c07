"""The command line: derived from the registry through a generated manifest, so that help and TAB load no business
module.

stdout is data and `output` alone writes it; stderr is talk and `diagnostics` alone writes it. No rule of the business
is known here.
"""
