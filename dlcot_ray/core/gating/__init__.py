"""What the gates look at: whether kept text relies on dropped text, what is whole; which repairs pass."""
