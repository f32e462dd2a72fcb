"""Blocks in the form of the literature: vectors of DT-PKC ciphertexts in, ciphertexts under a recipient's key out.

In between the values are shared, so neither unit learns an outcome, a sign or a ratio.
"""
