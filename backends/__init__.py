"""One folder per runtime: read its language into the IR, write it from the IR, compile, run, time."""
