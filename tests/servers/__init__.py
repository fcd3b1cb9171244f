"""Local servers that stand in for the services; see README.md."""
