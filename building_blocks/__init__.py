"""Two-party protocols between the Master and the Secondary, on shares and on ciphertexts."""
