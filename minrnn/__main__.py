"""`python -m minrnn`, and the console script `minrnn`."""

import os

# Threads that wait by spinning made a training seven times slower beside another busy process on two cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is imported

from minrnn.cli.main import main

if __name__ == "__main__":
    main()
