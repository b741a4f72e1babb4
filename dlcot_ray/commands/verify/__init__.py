"""`dlcot verify`: audits an output from its storage."""
