"""For the process alone that forks the workers, which imports it before all else.

Batch systems end a job with SIGTERM to every process of it. Here and in the workers, which inherit it, the
signal does
nothing: the scheduler hears it too, and lets what is in flight come to its end. A handler, unlike SIG_IGN, is
not
inherited by the programs that a worker starts.
"""

import signal

signal.signal(signal.SIGTERM, lambda _number, _frame: None)
