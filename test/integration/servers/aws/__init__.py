"""A strict, scripted fake of AWS for tests.

server.py says how to use it.  It is written from the services' documentation and
from the rules of Signature V4, not from any client; what it does not know, it
refuses.  Tests fill the services' state by Python, let a program call, and look at
`calls()` and `refusals()` afterwards.
"""
