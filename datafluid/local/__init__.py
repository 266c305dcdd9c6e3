"""What this machine has for the client: its cache, its exports, its health."""
