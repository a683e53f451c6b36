"""The lab: real parts on loopback, and the demo that runs the loop on them."""
