"""What the client does on clusters beyond the port: behind `datafluid.Client`."""
