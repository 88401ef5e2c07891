"""From a kernel and two machines to a verified port: spec, specialisation, gates, timing, report."""
