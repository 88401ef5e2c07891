"""Language-model agents on top of the deterministic porter: supervisor, synthesis swarm, verification agent."""
