"""Other systems that compute on hidden data, each in an environment of its own, measured beside ours."""
