"""`dlcot inspect`: how the input would be read, on a sample, before any job."""
