"""Tests of Sessionkeeper that are not written in Rust, and the servers they talk to."""
