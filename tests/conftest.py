"""What holds for every test."""

import signal

# A shell starts what it puts in the background with SIGINT ignored; so would every program be that a test
# starts in order to interrupt it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
