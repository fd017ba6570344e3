//! What is known of agents and tools, as data, and its compiler.
