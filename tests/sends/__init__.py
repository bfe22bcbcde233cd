"""Seven phases of an SMTP session × six faults, through the real outbox; deliveries are counted at the server."""
