"""`dlcot doctor`: looks at this machine and at the places of a job, and says what to do."""
