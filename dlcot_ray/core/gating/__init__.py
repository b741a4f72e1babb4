"""What the gates look at: whether kept text relies on dropped text, and whether what is kept is whole."""
